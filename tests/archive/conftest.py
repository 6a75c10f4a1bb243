"""Fixtures for archives: drawn images in a folder, and the place of an output."""

from pathlib import Path

import pytest

from tests.support.archives import lay_out


@pytest.fixture
def images(tmp_path) -> Path:
    """Nine pictures, and between them files that are refused or fail."""
    return lay_out(tmp_path / "images", 9, **{"!first": "broken", "004 empty": "empty", "~last": "failing"})


@pytest.fixture
def out(tmp_path) -> Path:
    """Where an output may be."""
    return tmp_path / "out"
