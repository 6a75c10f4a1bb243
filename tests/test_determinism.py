"""The same file gives the same reading, to the last bit, in whatever way it is read."""

import pytest

from cxrmodel.reading import Reader
from tests.support.determinism import WAYS, differences, one_by_one


@pytest.fixture(scope="module")
def reader():
    """The shipped model."""
    return Reader.load()


@pytest.fixture(scope="module")
def paths(project, tmp_path_factory):
    """Two images and a file that is refused."""
    broken = tmp_path_factory.mktemp("files") / "broken.png"
    images = sorted((project / "assets" / "demo").glob("*.png"))[:2]
    broken.write_bytes(images[0].read_bytes()[:500])
    return [*images, broken]


@pytest.fixture(scope="module")
def reference(reader, paths):
    """The values of the files, read one by one."""
    return one_by_one(reader, paths)


@pytest.mark.parametrize("way", ["batch backwards", "other folder and names", "in the sandbox", "other hash seed"])
def test_every_way_gives_the_same_values(reader, paths, reference, way):
    """All but the milliseconds."""
    assert differences(reference, WAYS[way](reader, paths)) == []
    assert [("error" in entry, len(entry) > 20) for entry in reference] == [(False, True), (False, True), (True, False)]


def test_a_value_that_differs_is_named(reference):
    """By the place of its image and its own name."""
    changed = [reference[0], reference[1] | {"logit": "0x1p-3"}, reference[2] | {"new": "1"}]
    assert differences(reference, changed) == [(1, "logit"), (2, "new")]
