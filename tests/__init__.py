"""The tests; helpers that they share are in ``tests/support``."""
