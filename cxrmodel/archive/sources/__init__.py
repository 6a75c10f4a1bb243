"""Where the images of an archive are: one file for each kind of place, behind one registry."""
