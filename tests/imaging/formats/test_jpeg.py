"""JPEG files of every process: whole ones are read, and none whose data end early."""

import base64
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from cxrmodel import errors
from cxrmodel.imaging.formats.jpeg_scans import layout_of
from cxrmodel.imaging.radiograph import read_radiograph

END = b"\xff\xd9"
ENDINGS = {"bare": b"", "end marker": END, "zeros": bytes(3000), "ones": b"\xff" * 3000, "both": END + bytes(300)}


def film(last=None):
    """A radiograph-like image, of which the last 24 rows may be of one grey level."""
    rows, columns = np.mgrid[0:136, 0:120]
    grain = np.random.default_rng(0).normal(0, 6, rows.shape)
    levels = 120 + 70 * np.sin(columns / 19) * np.cos(rows / 31) + grain
    levels = np.uint8(np.clip(levels, 0, 255))
    if last is not None:
        levels[-24:] = last
    return levels


def jpeg(levels, mode="L", **options):
    """Bytes of a JPEG in a mode of Pillow."""
    out = BytesIO()
    Image.fromarray(levels).convert(mode).save(out, "JPEG", **options)
    return out.getvalue()


def one_scan_each(data):
    """A sequential colour JPEG with a scan for each component, made by OpenCV's progressive encoder."""
    return cv2.imencode(".jpg", data, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 4])[1].tobytes()


LEVELS = film()
KINDS = {
    "baseline": jpeg(LEVELS),
    "own tables": jpeg(LEVELS, optimize=True),
    "low quality": jpeg(LEVELS, quality=15, optimize=True),
    "colour": jpeg(LEVELS, "RGB"),
    "colour, full chroma": jpeg(LEVELS, "RGB", subsampling=0),
    "inks": jpeg(LEVELS, "CMYK"),
    "progressive": jpeg(LEVELS, progressive=True),
    "progressive colour": jpeg(LEVELS, "RGB", progressive=True),
    "restarts by block": jpeg(LEVELS, restart_marker_blocks=1),
    "restarts by row": jpeg(LEVELS, "RGB", restart_marker_rows=1),
    "progressive with restarts": jpeg(LEVELS, progressive=True, restart_marker_blocks=7),
    "colour with restarts": one_scan_each(np.dstack([LEVELS] * 3)),
}


def read(data):
    """Read a file, or give None where it is refused as damaged."""
    try:
        return read_radiograph(data, "image")
    except errors.UnreadableFile:
        return None


def codes(data):
    """Codes of the notes of a file that is read."""
    return [note.code for note in read_radiograph(data, "image").notes]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_jpeg_that_ends_early_is_refused(kind, ending):
    """Wherever its data are cut, whatever follows; no more than the last few blocks may go unseen."""
    data = KINDS[kind]
    whole = read_radiograph(data, "image")
    assert whole.notes == ()
    end = len(data) - len(END)
    cuts = {int(cut) for cut in np.linspace(data.index(b"\xff\xda") + 14, end - 9, 40)} | set(range(end - 9, end))
    for cut in cuts:
        image = read(data[:cut] + ENDINGS[ending])
        if image is not None:
            assert cut > end - 12
            differ = image.pixels != whole.pixels
            assert differ.sum() == differ[-16:].sum() <= 4 * 64


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"optimize": True}])
@pytest.mark.parametrize("last", [0, 127, 128, 129, 255])
def test_an_image_that_ends_in_one_grey_is_whole(mode, options, last):
    """Also in the grey that decoders put in place of missing data."""
    image = read_radiograph(jpeg(film(last), mode, quality=95, **options), "image")
    assert image.notes == ()
    assert np.abs(image.pixels[-8:] * 255 - last).max() <= 1
    assert image.pixels.std() > 0.05


@pytest.mark.images
def test_the_example_that_ends_in_mid_grey_is_read(data_root):
    """Its last 24 rows are mid-grey."""
    image = read_radiograph((data_root / "field_cases" / "grey128_n.jpg").read_bytes(), "image")
    assert (image.notes, image.pixels[-1, -1]) == ((), np.float32(128 / 255))


@pytest.mark.parametrize("kind", [kind for kind, data in KINDS.items() if data[-3]])
def test_a_whole_jpeg_without_end_marker_is_read_with_a_note(kind):
    """Its data bring every row, unless their last bytes may as well be padding."""
    data = KINDS[kind]
    image = read_radiograph(data[: -len(END)], "image")
    assert [note.code for note in image.notes] == ["imaging.note.no_end"]
    assert np.array_equal(image.pixels, read_radiograph(data, "image").pixels)


@pytest.mark.parametrize("kind", ["progressive", "progressive colour", "progressive with restarts"])
def test_a_progressive_jpeg_that_lacks_scans_is_refused(kind):
    """Without its last scans it would be blurred or coarse."""
    data = KINDS[kind]
    for scan in layout_of(data).scans[:-1]:
        assert read(data[: scan[-1]] + END) is None


@pytest.mark.parametrize(
    ("kind", "first", "last"),
    [
        ("restarts by block", 2, 3),
        ("restarts by block", 2, 10),
        ("restarts by row", 2, 3),
        ("progressive with restarts", 2, 3),
        ("progressive with restarts", 2, 10),
    ],
)
def test_a_jpeg_that_lacks_data_between_restarts_is_refused(kind, first, last):
    """Decoders go on after a gap: half an interval, one, or eight of them, after which the numbers fit again."""
    data = KINDS[kind]
    ends = layout_of(data).scans[0]
    assert read(data[: ends[first]] + data[ends[last] :]) is None
    if kind == "restarts by row":
        assert read(data[: (ends[first] + ends[last]) // 2] + data[ends[last] :]) is None


ARITHMETIC = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7gYKBTmCN"
    "l4x9lnN+gXz/yQALCABAAEABAREA/8wABgAQEAX/2gAIAQEAAD8AwWkeeQckanlQsFAfmT5RxdR7NDhUXxCQHH+BT23MJ7MEf2/u+1HwkDfB"
    "rm3jBjEF6aOEud9mFxGad/w+SgsjMl+1zLGfviQ193DE9/WXTgzLajOK9If5lnoUzqJW86sDA//Z"
)


def test_an_arithmetic_jpeg_is_whole_or_refused():
    """Its data may leave zeros out at the end, so that its end marker is needed."""
    whole = read_radiograph(ARITHMETIC, "image")
    assert (whole.pixels.shape, whole.notes) == ((64, 64), ())
    start, end = ARITHMETIC.index(b"\xff\xda") + 10, len(ARITHMETIC) - 2
    for cut in range(start, end - 8, 7):
        for ending in ENDINGS.values():
            assert read(ARITHMETIC[:cut] + ending) is None
    assert read(ARITHMETIC[:end]) is None


SMALL, HALF = film()[::2, ::2], film()[:68, :60]


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (b"", []),
        (bytes(9), []),
        (b"\r\n", ["imaging.note.surplus"]),
        (b"trailer of a device", ["imaging.note.surplus"]),
        (jpeg(LEVELS)[:60], ["imaging.note.surplus"]),
        (jpeg(HALF), ["imaging.note.preview"]),
        (b"trailer" + jpeg(HALF.T), ["imaging.note.preview"]),
        (jpeg(LEVELS), None),
        (jpeg(HALF) + jpeg(LEVELS), None),
        (jpeg(film()[:100, :61]), None),
    ],
)
def test_what_follows_a_jpeg(rest, expected):
    """Padding is nothing, a preview and anything else get a note; another image of about that size is refused."""
    data = KINDS["baseline"] + rest
    if expected is None:
        with pytest.raises(errors.MultipleImages):
            read_radiograph(data, "image")
    else:
        assert codes(data) == expected
        assert np.array_equal(read_radiograph(data, "image").pixels, read_radiograph(KINDS["baseline"], "image").pixels)


def test_a_photograph_with_a_preview_of_its_camera_is_read():
    """CIPA DC-007 names further images; what counts is whether they are there, and their size."""
    out = BytesIO()
    Image.fromarray(LEVELS).save(out, "MPO", save_all=True, append_images=[Image.fromarray(HALF)])
    data = out.getvalue()
    assert codes(data) == ["imaging.note.preview"]
    assert codes(data[: layout_of(data).end]) == []
