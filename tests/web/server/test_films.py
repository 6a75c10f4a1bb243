"""Images stay in memory, and go when their session ends: a real server, whose memory and files are searched."""

import http.client
import time
from contextlib import suppress
from io import BytesIO
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.support.dicom_files import dicom
from tests.support.server import running_server
from tests.support.streamlit_tab import Tab
from tests.support.traces import family, found_in_files, found_in_memory

SECONDS = 120
"""Guards against a hang."""


@pytest.fixture(scope="module")
def temporary(tmp_path_factory):
    """The server's folder for temporary files."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def server(temporary):
    """A server that ends a session a second after its tab was closed."""
    variables = {"TMPDIR": str(temporary), "TF_CPP_MIN_LOG_LEVEL": "3"}
    with running_server(["--server.disconnectedSessionTTL=1"], variables=variables) as running:
        yield running


@pytest.fixture(scope="module")
def mark():
    """Grey levels that occur nowhere else."""
    return np.random.default_rng(0).integers(1, 254, 48).astype(np.uint8)


@pytest.fixture(scope="module")
def levels(demo_image, mark):
    """A chest radiograph of 8 bits that holds the mark in many rows."""
    image = cv2.imdecode(np.frombuffer(demo_image, np.uint8), cv2.IMREAD_GRAYSCALE)
    large = cv2.resize(image, (1600, 1500), interpolation=cv2.INTER_CUBIC)
    large[50::100, 500 : 500 + len(mark)] = mark
    return large


def pixels_of(mark):
    """The mark as grey levels 0..1."""
    return (mark / np.float32(255)).astype(np.float32).tobytes()


def traces(server, mark):
    """What of the mark is in memory of the server and its decoders: stored bytes, and grey levels."""
    found = set()
    for pid in family(server.pid):
        with suppress(FileNotFoundError, ProcessLookupError):  # a decoder that has ended
            found |= found_in_memory(pid, [mark.tobytes(), pixels_of(mark)])
    return found


def tiff(levels):
    """The image as a TIFF file without compression."""
    out = BytesIO()
    Image.fromarray(levels).save(out, "TIFF")
    return out.getvalue()


def until(done):
    """Wait until something is true."""
    end = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < end, f"it is not so after {SECONDS} s"
        time.sleep(0.3)


@pytest.mark.slow
@pytest.mark.parametrize("encode", [tiff, dicom], ids=["TIFF", "DICOM"])
def test_no_image_survives_its_session(server, temporary, levels, mark, encode):
    """Its bytes and its pixels are in memory while the tab is open, never on disk, and nowhere once it is closed."""
    with Tab(server.address) as tab:
        (row,) = tab.drop([("film", encode(levels))])
        assert row["status"] == "read"
        for path in (f"scene/{row['id']}", f"reading.pdf/{row['id']}", "list.csv", "all.zip"):
            assert tab.get(path)[0] == 200
        tab.turn_to("heatmap")
        assert pixels_of(mark) in traces(server, mark)
    until(lambda: not traces(server, mark))
    assert found_in_files(server.pid, [temporary]) == []


@pytest.mark.slow
def test_an_image_goes_when_it_is_removed_for_good(server, levels, mark):
    """Another removal ends the time in which it could come back, and the browser still has its tab."""
    with Tab(server.address) as tab:
        (row,) = tab.drop([("film", tiff(levels))])
        assert tab.post("remove", {"ids": [row["id"]]}) == 204
        assert traces(server, mark)
        tab.drop([("text", b"no image")])
        assert tab.post("clear", {}) == 204
        until(lambda: pixels_of(mark) not in traces(server, mark))


@pytest.mark.slow
def test_an_upload_under_way_is_in_memory_only(server, temporary, levels, mark):
    """What has come of a large file is not written to the disk."""
    data = tiff(levels)
    with Tab(server.address) as tab:
        (row_id,) = tab.announce([("film", data)])
        connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=SECONDS)
        connection.putrequest("PUT", f"/room/files/{row_id}")
        for name, value in (tab.headers | {"Content-Type": "application/octet-stream"}).items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(data)))
        connection.endheaders()
        connection.send(data[: len(data) * 3 // 4])
        until(lambda: traces(server, mark))
        written = found_in_files(server.pid, [temporary])
        connection.send(data[len(data) * 3 // 4 :])
        assert connection.getresponse().status == 204
        connection.close()
    assert written == []
