"""Grey images that are stored in colour read as the grey image; true colour is refused."""

from io import BytesIO

import cv2
import imagecodecs
import jpeg_ls
import numpy as np
import pytest
from PIL import Image

from cxrmodel import errors
from cxrmodel.imaging.radiograph import read_radiograph
from cxrmodel.messages import Message
from tests.support.dicom_files import CAPTURE_CLASS, LOSSLESS, NATIVE, dicom, palette

ROWS, COLUMNS = np.mgrid[0:96, 0:128]
GREY = np.clip(ROWS + COLUMNS + np.random.default_rng(0).integers(0, 9, ROWS.shape), 0, 255).astype(np.uint8)
SCENE = cv2.applyColorMap(GREY, cv2.COLORMAP_JET)
LEVELS = GREY / np.float32(255)


def rgb(grey):
    """Three equal components."""
    return np.dstack([grey] * 3)


def ybr(grey, middle=128):
    """Luma and two chromas without colour."""
    chroma = np.full_like(grey, middle)
    return np.dstack([grey, chroma, chroma])


def as_ybr(colour):
    """Luma and chromas of red, green and blue."""
    return np.ascontiguousarray(cv2.cvtColor(colour, cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]])


def jpeg(colour, **options):
    """A JPEG frame in luma and chroma, as other software writes it."""
    out = BytesIO()
    Image.fromarray(colour).save(out, "JPEG", quality=98, **options)
    return out.getvalue() + b"\0" * (len(out.getvalue()) % 2)


@pytest.mark.parametrize("syntax", [*NATIVE, *LOSSLESS])
@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL", "YBR_RCT", "YBR_ICT", "MONOCHROME2", "YBR FULL"])
@pytest.mark.parametrize("components", [rgb, ybr])
def test_a_grey_image_in_three_components_is_that_image(read, syntax, photometric, components):
    """Whatever the attributes say of them: gateways change the one and not the other."""
    image = read(components(GREY), syntax, PhotometricInterpretation=photometric)
    assert np.array_equal(image.pixels, LEVELS)
    assert image.notes == ()


@pytest.mark.parametrize("syntax", [*NATIVE, *LOSSLESS])
@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
@pytest.mark.parametrize("scene", [SCENE, as_ybr(SCENE)], ids=["rgb", "ybr"])
def test_true_colour_is_refused(read, syntax, photometric, scene):
    """In either colour space, whatever the attributes say."""
    with pytest.raises(errors.ColourImage) as raised:
        read(scene, syntax, PhotometricInterpretation=photometric)
    assert raised.value.message == Message("imaging.dicom.colour")


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("photometric", ["YBR_FULL_422", "YBR_FULL", "RGB"])
def test_a_jpeg_in_luma_and_chroma_is_read(read, subsampling, photometric):
    """Its noise is no colour, and colour is."""
    elements = {"PhotometricInterpretation": photometric, "SOPClassUID": CAPTURE_CLASS}
    image = read(rgb(GREY), "JPEG baseline", frame=jpeg(rgb(GREY), subsampling=subsampling), **elements)
    assert np.abs(image.pixels - LEVELS).max() < 0.05
    progressive = jpeg(rgb(GREY), subsampling=subsampling, progressive=True)
    assert np.abs(read(rgb(GREY), "JPEG baseline", frame=progressive, **elements).pixels - LEVELS).max() < 0.05
    with pytest.raises(errors.ColourImage):
        read(SCENE, "JPEG baseline", frame=jpeg(SCENE, subsampling=subsampling), **elements)


@pytest.mark.parametrize("syntax", ["JPEG baseline", "JPEG 2000", "HTJ2K", "JPEG-LS near-lossless"])
@pytest.mark.parametrize("components", [rgb, ybr])
def test_lossy_components_are_close(read, syntax, components):
    """Stored as they are, without a transformation of colours."""
    assert np.abs(read(components(GREY), syntax).pixels - LEVELS).max() < 0.05


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_components_of_jpeg_ls_are_read_in_any_order(read, mode):
    """One after the other, by line, and by pixel."""
    components = np.ascontiguousarray(np.moveaxis(rgb(GREY), 2, 0)) if mode == 0 else rgb(GREY)
    frame = bytes(jpeg_ls.encode_array(components, interleave_mode=mode))
    frame += b"\0" * (len(frame) % 2)
    assert np.array_equal(read(rgb(GREY), "JPEG-LS lossless", frame=frame).pixels, LEVELS)


def test_a_grey_codestream_in_a_file_that_states_three_components_is_read(read):
    """One component has no colour."""
    frame = imagecodecs.jpeg2k_encode(GREY, level=0, codecformat="j2k", reversible=True)
    frame += b"\0" * (len(frame) % 2)
    assert np.array_equal(read(rgb(GREY), "JPEG 2000 lossless", frame=frame).pixels, LEVELS)


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big endian"])
@pytest.mark.parametrize("components", [rgb, ybr])
def test_components_in_planes_are_read(read, syntax, components):
    """Planar configuration 1."""
    frame = np.moveaxis(components(GREY), 2, 0).tobytes()
    if syntax == "big endian":
        frame = np.frombuffer(frame, "<u2").astype(">u2").tobytes()
    image = read(components(GREY), syntax, frame=frame, PlanarConfiguration=1)
    assert np.array_equal(image.pixels, LEVELS)


@pytest.mark.parametrize("shared", [True, False])
def test_native_pixels_that_share_their_chromas_are_read(read, shared):
    """Four bytes for two pixels, or three for each where a gateway left the attribute as it was."""
    frame = np.concatenate([GREY.reshape(-1, 2), np.full((GREY.size // 2, 2), 128, np.uint8)], axis=1).tobytes()
    image = read(ybr(GREY), frame=frame if shared else None, PhotometricInterpretation="YBR_FULL_422")
    assert np.array_equal(image.pixels, LEVELS)


@pytest.mark.parametrize("bits", [12, 16])
@pytest.mark.parametrize("syntax", ["explicit", "big endian", "RLE", "JPEG 2000 lossless", "JPEG-LS lossless"])
@pytest.mark.parametrize("in_ybr", [False, True])
def test_deep_components_are_read(read, bits, syntax, in_ybr):
    """The highest value is white."""
    deep = (GREY.astype(np.uint32) * (2**bits - 1) // 255).astype(np.uint16)
    samples = ybr(deep, 2 ** (bits - 1)) if in_ybr else rgb(deep)
    image = read(samples, syntax, bits=bits, PhotometricInterpretation="YBR_FULL" if in_ybr else "RGB")
    assert np.abs(image.pixels - LEVELS).max() < 0.001


RAMP = np.arange(256)


@pytest.mark.parametrize(
    ("entries", "bits"),
    [(RAMP, 8), (RAMP, 16), (RAMP * 256, 16), (RAMP * 257, 16)],
    ids=["8", "16 low", "16 high", "16"],
)
def test_a_grey_palette_is_read(read, entries, bits):
    """However its entries fill their words."""
    assert np.array_equal(read(GREY, **palette(entries, bits=bits)).pixels, LEVELS)
    inverted = read(255 - GREY, **palette(entries[::-1], bits=bits))
    assert np.array_equal(inverted.pixels, LEVELS)


def test_palettes_of_deep_indices_are_read(read):
    """Up to 65,536 entries, from a first value on; those beyond are the last."""
    deep = GREY.astype(np.uint16) * 257
    assert np.array_equal(read(deep, **palette(np.arange(65536))).pixels, LEVELS)
    assert np.array_equal(read(GREY.astype(np.uint16) + 1000, **palette(RAMP * 257, first=1000)).pixels, LEVELS)
    assert np.array_equal(read(GREY, **palette(RAMP[:200] * 257)).pixels, np.minimum(GREY, 199) / np.float32(255))


def test_only_the_colours_that_occur_count(read):
    """A palette may have other entries, for overlays."""
    red = RAMP.copy()
    red[250:] = 0
    image = read(np.minimum(GREY, 249), **palette(red, RAMP, RAMP, bits=8))
    assert np.array_equal(image.pixels, np.minimum(GREY, 249) / np.float32(255))


def test_a_palette_of_colours_is_refused(read):
    """As pseudo-colour."""
    jet = cv2.applyColorMap(RAMP.astype(np.uint8)[:, None], cv2.COLORMAP_JET)[:, 0].astype(int)
    for bits, scale in ((8, 1), (16, 257)):
        with pytest.raises(errors.ColourImage):
            read(GREY, **palette(*(jet * scale).T, bits=bits))


@pytest.mark.parametrize("keyword", ["RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableDescriptor"])
@pytest.mark.parametrize("value", [None, "short"])
def test_a_palette_that_is_incomplete_is_refused(read, keyword, value):
    """By a sentence of its own; so is one in segments."""
    elements = palette(RAMP * 257)
    elements[keyword] = elements[keyword][:2] if value else None
    elements = {name: entry for name, entry in elements.items() if entry is not None}
    with pytest.raises(errors.UnsupportedFile) as raised:
        read(GREY, **elements)
    assert raised.value.message == Message("imaging.dicom.palette")


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL_422"])
def test_one_component_has_no_colour(read, photometric):
    """Whatever is stated."""
    assert np.array_equal(read(GREY, PhotometricInterpretation=photometric).pixels, LEVELS)


@pytest.mark.parametrize(
    ("samples", "photometric"), [(4, "ARGB"), (4, "CMYK"), (3, "HSV"), (2, "RGB"), (3, "MONOCHROME1")]
)
def test_other_colour_spaces_are_refused(samples, photometric):
    """Before anything is decoded."""
    with pytest.raises(errors.ColourImage):
        read_radiograph(dicom(rgb(GREY), SamplesPerPixel=samples, PhotometricInterpretation=photometric), "image")


def test_a_tint_gives_a_note(read):
    """A blue film base."""
    tinted = np.clip(rgb(GREY).astype(int) + np.array([-12, 0, 14]), 0, 255).astype(np.uint8)
    for samples, photometric in ((tinted, "RGB"), (as_ybr(tinted), "YBR_FULL")):
        image = read(samples, PhotometricInterpretation=photometric)
        assert image.notes == (Message("imaging.note.tint"),)
        assert np.abs(image.pixels - LEVELS).mean() < 0.02


def test_components_that_end_early_are_refused(read):
    """Two of the three."""
    with pytest.raises(errors.MissingPixelData):
        read(rgb(GREY), frame=rgb(GREY).tobytes()[: GREY.size * 2])
