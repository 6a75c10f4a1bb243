"""Metrics of a server or worker in the format of Prometheus: counts, times and states, without identity."""
