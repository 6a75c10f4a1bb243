"""Pixel data: the frame as stored, its codestreams, and their decoders."""
