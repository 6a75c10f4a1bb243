"""Image quality and out-of-distribution checks: they decide whether a number is given for an image."""
