"""Hashes of images and code follow what they stand for."""

import hashlib
from dataclasses import replace

import pytest

from cxrmodel.errors import DataError
from cxrmodel.evaluation.provenance import code_sha256, images_sha256
from cxrmodel.training.archive import find_images


def test_image_hash_follows_content_and_not_order(archive):
    """One byte more, or another label, and it is another set."""
    images = find_images(archive, ("test",))
    first = images_sha256(images)
    assert images_sha256(images[::-1]) == first
    assert images_sha256([replace(images[0], label=1), *images[1:]]) != first
    images[0].path.write_text("1.5#changed")
    assert images_sha256(images) != first
    images[0].path.unlink()
    with pytest.raises(DataError):
        images_sha256(images)


def test_code_hash_follows_every_source_file(tmp_path):
    """Content and name count; other files do not."""
    (tmp_path / "a.py").write_text("x = 1\n")
    first = code_sha256(tmp_path)
    (tmp_path / "notes.txt").write_text("no code")
    assert code_sha256(tmp_path) == first
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert code_sha256(tmp_path) != first
    assert len(first) == len(hashlib.sha256().hexdigest())
