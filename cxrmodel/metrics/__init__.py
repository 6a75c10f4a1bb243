"""Metrics: pure functions from arrays of labels and scores to figures with confidence intervals."""
