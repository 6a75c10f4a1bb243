"""Scoring on a Ray cluster: one worker on each machine, with the reader that everyone uses."""
