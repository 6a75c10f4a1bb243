"""What the decoders write themselves does not reach the program's output."""

import pytest

from cxrmodel.errors import UnreadableFile
from cxrmodel.imaging.radiograph import read_radiograph
from tests.support.mutations import seeds


def test_opencv_says_nothing_of_a_damaged_file(capfd):
    """It quotes names and values of tags."""
    file = bytearray(seeds()["TIFF deep colour"])
    file[8:40] = b"\xff" * 32
    with pytest.raises(UnreadableFile):
        read_radiograph(bytes(file), "image")
    assert capfd.readouterr() == ("", "")
