"""Tests of the explanation methods."""
