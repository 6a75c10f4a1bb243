"""Training: from the public archive to the files that the program reads images with."""
