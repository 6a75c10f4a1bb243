"""Lets these tests import the stand-ins that lie beside their folder."""
