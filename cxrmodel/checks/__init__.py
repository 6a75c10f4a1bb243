"""Image quality and out-of-distribution checks that decide whether a number may be given."""
