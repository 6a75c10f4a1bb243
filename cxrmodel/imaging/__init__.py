"""Untrusted bytes stop here: files become radiographs, and lung fields are found in them."""
