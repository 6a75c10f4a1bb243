"""From the public archive to trained weights."""
