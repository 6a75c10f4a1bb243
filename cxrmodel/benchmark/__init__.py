"""Benchmarks of reading and training, compared with naive implementations."""
