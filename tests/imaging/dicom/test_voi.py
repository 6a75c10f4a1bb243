"""Modality, VOI and presentation, each against values computed by hand from PS3.3 C.11."""

from math import exp

import numpy as np
import pytest
from pydicom.sequence import Sequence

from cxrmodel.messages import Message
from tests.support.dicom_files import lut_item

SMALL = {"bits": 12}
STORED = [0, 500, 1000, 1500, 2000, 2500, 3000, 4095]
UNIT = [value / 4095 for value in STORED]


def grain(low, high, size=(64, 80)):
    """Values spread evenly between two."""
    return np.linspace(low, high, size[0] * size[1]).reshape(size).astype(np.uint16)


def samples_of(samples, reversed_):
    """Lowest and highest stored value."""
    ends = (int(samples.min()), int(samples.max()))
    return [4095 - end for end in ends] if reversed_ else ends


def close(values, expected):
    """Equal to within float32."""
    return values == pytest.approx(expected, abs=1e-6)


def test_without_any_of_them_black_and_white_are_the_ends_of_the_stored_bits(levels):
    """12 bits: value over 4095."""
    assert close(levels(STORED, **SMALL), UNIT)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        # C.11.2.1.2.1: (x - (2000 - 0.5)) / (1001 - 1) + 0.5
        ("LINEAR", [0, 0, 0, 0.0005, 0.5005, 1, 1, 1]),
        (None, [0, 0, 0, 0.0005, 0.5005, 1, 1, 1]),
        ("UNKNOWN", [0, 0, 0, 0.0005, 0.5005, 1, 1, 1]),
        # C.11.2.1.3.2: (x - 2000) / 1001 + 0.5
        ("LINEAR_EXACT", [0, 0, 0, 0.5 - 500 / 1001, 0.5, 0.5 + 500 / 1001, 1, 1]),
        # C.11.2.1.3.1: 1 / (1 + exp(-4 (x - 2000) / 1001))
        ("SIGMOID", [1 / (1 + exp(-4 * (x - 2000) / 1001)) for x in STORED]),
    ],
)
def test_the_three_functions_of_a_window(levels, function, expected):
    """LINEAR is the default, also for an unknown function."""
    elements = {} if function is None else {"VOILUTFunction": function}
    assert close(levels(STORED, **SMALL, WindowCenter=2000, WindowWidth=1001, **elements), expected)


@pytest.mark.parametrize(
    ("centre", "width", "function", "expected"),
    [
        (2047.5, 4095, "LINEAR_EXACT", UNIT),
        (2048, 4096, "LINEAR", UNIT),
        (1500, 0.5, "LINEAR_EXACT", [0, 0, 0, 0.5, 1, 1, 1, 1]),
    ],
)
def test_the_edges_of_a_window(levels, centre, width, function, expected):
    """The narrowest, and those that keep the whole scale."""
    elements = {"WindowCenter": centre, "WindowWidth": width, "VOILUTFunction": function}
    assert close(levels(STORED, **SMALL, **elements), expected)


@pytest.mark.parametrize(
    ("width", "function"), [(0, "LINEAR"), (0.5, "LINEAR"), (-5, "LINEAR"), (0, "SIGMOID"), (-1, "LINEAR_EXACT")]
)
def test_a_window_without_width_is_ignored_with_a_note(read, levels, width, function):
    """The standard allows none."""
    elements = {"WindowCenter": 2000, "WindowWidth": width, "VOILUTFunction": function, **SMALL}
    assert close(levels(STORED, **elements), UNIT)
    notes = read(np.tile(np.uint16(STORED), (64, 8)), **elements).notes
    assert notes == (Message("imaging.dicom.zero_width"),)


def test_of_several_windows_the_first_is_used(levels):
    """The others are for other tissues."""
    shown = levels(STORED, **SMALL, WindowCenter=[2048, 500], WindowWidth=[4096, 10])
    assert close(shown, UNIT)


@pytest.mark.parametrize(
    ("centre", "width", "function"),
    [
        (60000, 100, "LINEAR"),
        (-500, 10, "LINEAR"),
        (4096, 8192, "LINEAR"),
        (0, 8192, "LINEAR_EXACT"),
        (32768, 65536, "LINEAR"),
        (6200, 4096, "LINEAR"),
        (-2100, 4096, "LINEAR"),
        (2048, 16384, "SIGMOID"),
        (2000, 1, "LINEAR"),
        (2001, 2, "LINEAR_EXACT"),
    ],
)
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_window_that_leaves_under_half_of_the_greys_is_ignored_with_a_note(
    read, centre, width, function, photometric
):
    """Beside the image, too wide, or with nothing between black and white: the twelve bits that it fills are shown."""
    samples = grain(0, 4095)
    elements = {"WindowCenter": centre, "WindowWidth": width, "VOILUTFunction": function}
    image = read(samples, PhotometricInterpretation=photometric, **elements, **SMALL)
    shown = 1 - image.pixels if image.inverted else image.pixels
    assert np.allclose(shown, samples / 4095, atol=1e-6)
    assert image.notes[0] == Message("imaging.dicom.window_ignored")


def test_a_window_that_isolated_values_fill_is_ignored(read):
    """A marker at white beside an image that a window eight times too wide leaves dark."""
    samples = grain(0, 8000)
    samples[:2, :40] = 65535
    image = read(samples, WindowCenter=32768, WindowWidth=65536)
    assert np.allclose(image.pixels[2:], samples[2:] / 8191, atol=0.03)
    assert [note.code for note in image.notes] == [
        "imaging.dicom.window_ignored",
        "imaging.dicom.no_window",
        "imaging.note.isolated",
    ]


@pytest.mark.parametrize(("low", "high"), [(0, 2150), (1000, 3200), (2000, 4095)])
def test_a_window_that_leaves_half_of_the_greys_is_used(read, low, high):
    """As the file wants it, without a note."""
    samples = grain(low, high)
    image = read(samples, WindowCenter=2048, WindowWidth=3800, VOILUTFunction="LINEAR_EXACT", **SMALL)
    assert np.allclose(image.pixels, np.clip((samples - 148.0) / 3800, 0, 1), atol=1e-6)
    assert image.notes == ()


@pytest.mark.parametrize(
    ("low", "high", "elements"),
    [
        (0, 4000, {"WindowCenter": 2048, "WindowWidth": 7400}),
        (0, 4000, {"WindowCenter": 3072, "WindowWidth": 6144}),
        (500, 2957, {"WindowCenter": 2048, "WindowWidth": 4096}),
        (500, 2957, {"WindowCenter": 2000, "WindowWidth": 4400, "PhotometricInterpretation": "MONOCHROME1"}),
        (0, 4000, {"WindowCenter": 2048, "WindowWidth": 4096, "RescaleIntercept": -1024, "RescaleSlope": 1}),
        (0, 4000, {"WindowCenter": 4096, "WindowWidth": 15000, "RescaleIntercept": 0, "RescaleSlope": 2}),
        (500, 2957, {"WindowCenter": 2048, "WindowWidth": 4096, "bits": 16}),
        (500, 2957, {"WindowCenter": 2048, "WindowWidth": 4096, "bits": 14}),
    ],
)
def test_a_window_of_all_that_a_file_can_store_says_no_more_than_none(read, low, high, elements):
    """It is too wide, or in stored values where rescaled ones are meant. All leave the image over half of the greys."""
    samples = grain(low, high)
    plain = {key: value for key, value in elements.items() if not key.startswith("Window")}
    image, expected = read(samples, **SMALL | elements), read(samples, **SMALL | plain)
    assert np.array_equal(image.pixels, expected.pixels)
    assert image.notes == (Message("imaging.dicom.window_of_all"), *expected.notes)


def test_a_later_window_serves_where_the_first_does_not(levels, read):
    """In the order of the file, with the note."""
    elements = {"WindowCenter": [9000, 2048, 500], "WindowWidth": [4096, 4096, 400], **SMALL}
    assert close(levels(STORED, **elements), UNIT)
    assert read(grain(0, 4000), **elements).notes == (Message("imaging.dicom.window_ignored"),)


@pytest.mark.parametrize("used", [12, 13, 14, 15])
def test_a_voi_table_that_states_more_bits_than_it_uses(read, used):
    """It is read with the bits that it uses: its curve stays."""
    curve = np.linspace(0, 1, 4096) ** 2 * (2**used - 1)
    samples = grain(0, 4095)
    image = read(samples, VOILUTSequence=Sequence([lut_item(0, curve)]), **SMALL)
    assert np.allclose(image.pixels, (samples / 4095.0) ** 2, atol=0.001)
    assert image.notes == (Message("imaging.dicom.lut_bits"),)


@pytest.mark.parametrize(("first", "step"), [(5000, 16), (0, 4)])
def test_a_voi_table_that_leaves_under_half_of_the_greys_gives_way_to_a_window(read, first, step):
    """Beside the image, or with a top that one entry alone reaches."""
    entries = np.append(np.arange(4095) * step, 65535)
    elements = {"VOILUTSequence": Sequence([lut_item(first, entries)]), **SMALL}
    samples = grain(0, 4000)
    image = read(samples, WindowCenter=2000, WindowWidth=4001, **elements)
    assert np.allclose(image.pixels, samples / 4000, atol=0.001)
    assert image.notes == (Message("imaging.dicom.lut_ignored"),)
    assert np.allclose(read(samples, **elements).pixels, samples / 4095, atol=1e-6)


def test_rescale_comes_before_the_window(levels):
    """Slope 2, intercept -1000: the window is in rescaled values, (2 x - 1000 - 2999.5) / 2000 + 0.5."""
    shown = levels(STORED, **SMALL, RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=3000, WindowWidth=2001)
    assert close(shown, [0, 0, 0, 0.00025, 0.50025, 1, 1, 1])


def test_rescale_alone_does_not_change_the_display(levels):
    """Black and white move with it."""
    assert close(levels(STORED, **SMALL, RescaleSlope=0.25, RescaleIntercept=-128), UNIT)


def test_a_negative_slope_reverses_the_order(levels):
    """Rescaled values are what is shown: 4095 - x."""
    shown = levels(STORED, **SMALL, RescaleSlope=-1, RescaleIntercept=4095)
    assert close(shown, [1 - value for value in UNIT])


def test_a_slope_of_zero_is_ignored_with_a_note(read):
    """It would leave nothing of the image."""
    samples = np.tile(np.uint16(STORED), (64, 8))
    image = read(samples, RescaleSlope=0, RescaleIntercept=7, **SMALL)
    assert np.allclose(image.pixels, samples / 4095, atol=1e-6)
    assert image.notes == (Message("imaging.dicom.zero_slope"),)


def test_a_modality_table_replaces_the_rescale(levels):
    """Entries from 1000 on: lower inputs give the first, higher ones the last; the window is in its outputs."""
    table = Sequence([lut_item(1000, [0, *[400] * 999, 800], 10)])
    elements = {"ModalityLUTSequence": table, "RescaleSlope": 5, "WindowCenter": 400.5, "WindowWidth": 801}
    assert close(levels(STORED, **SMALL, **elements), [0, 0, 0, 0.5, 1, 1, 1, 1])


def test_without_a_window_the_outputs_of_a_modality_table_are_spread(levels):
    """Ten bits stated: output over 1023."""
    table = Sequence([lut_item(0, np.minimum(np.arange(4096) // 4, 1023), 10)])
    assert close(levels(STORED, **SMALL, ModalityLUTSequence=table), [min(x // 4, 1023) / 1023 for x in STORED])


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_a_voi_table_replaces_the_window(levels, bits):
    """From 500 on, and all of its bits are white."""
    top = 2**bits - 1
    entries = [0, *[top // 4] * 999, *[top // 2] * 1000, top]
    table = Sequence([lut_item(500, entries, bits)])
    shown = levels(STORED, **SMALL, VOILUTSequence=table, WindowCenter=1, WindowWidth=2)
    quarter, half = top // 4 / top, top // 2 / top
    assert close(shown, [0, 0, quarter, half, half, 1, 1, 1])


def test_a_voi_table_comes_after_the_rescale(levels):
    """Its input is 2 x - 1000, below zero for the first, so its first value may be too."""
    table = Sequence([lut_item(-1000, np.minimum(np.arange(9191) * 8, 65535), 16, signed=True)])
    elements = {"VOILUTSequence": table, "RescaleSlope": 2, "RescaleIntercept": -1000}
    assert close(levels(STORED, **SMALL, **elements), [min(2 * x * 8, 65535) / 65535 for x in STORED])


def test_a_voi_table_of_65536_entries(levels):
    """The descriptor writes their number as 0."""
    table = Sequence([lut_item(0, np.arange(65536)[::-1])])
    stored = [0, 1, 1000, 20000, 30000, 40000, 50000, 65535]
    assert close(levels(stored, VOILUTSequence=table), [1 - value / 65535 for value in stored])


def test_a_voi_table_that_states_too_many_bits(levels):
    """Sixteen are stated and twelve used."""
    table = Sequence([lut_item(0, np.arange(4096))])
    assert close(levels(STORED, **SMALL, VOILUTSequence=table), UNIT)


def test_the_first_valid_table_is_used(levels):
    """One with too few entries or an impossible depth is skipped."""
    short = lut_item(0, [0, 1, 2])
    short.LUTDescriptor = [4096, 0, 16]
    table = Sequence([short, lut_item(0, np.arange(4096) * 0, 77), lut_item(0, np.arange(4096), 12)])
    assert close(levels(STORED, **SMALL, VOILUTSequence=table), UNIT)


@pytest.mark.parametrize("syntax", ["implicit", "explicit", "big endian"])
def test_tables_are_read_in_every_encoding(read, syntax):
    """As words of either byte order, and eight bits packed two to a word."""
    samples = np.tile(np.uint8([0, 1, 128, 255]), (64, 16))
    entries = np.arange(256)[::-1]
    image = read(samples, syntax, VOILUTSequence=Sequence([lut_item(0, entries, 8)]))
    assert np.allclose(image.pixels, 1 - samples / 255, atol=1e-6)
    packed = lut_item(0, entries, 8)
    packed.add_new("LUTData", "OW", entries.astype(np.uint8).tobytes())
    if syntax != "big endian":
        image = read(samples, syntax, VOILUTSequence=Sequence([packed]))
        assert np.allclose(image.pixels, 1 - samples / 255, atol=1e-6)


SIGNED = [-2048, -1000, -500, 0, 500, 1000, 1500, 2047]


def test_signed_values_are_shown_from_the_lowest_to_the_highest(levels):
    """(x + 2048) / 4095."""
    assert close(levels(SIGNED, "i2", **SMALL), [(x + 2048) / 4095 for x in SIGNED])


def test_windows_of_signed_values(levels):
    """(x - (0 - 0.5)) / 2000 + 0.5."""
    shown = levels(SIGNED, "i2", **SMALL, WindowCenter=0, WindowWidth=2001)
    assert close(shown, [0, 0.00025, 0.25025, 0.50025, 0.75025, 1, 1, 1])


@pytest.mark.parametrize(
    ("photometric", "shape", "inverted", "contradicts"),
    [
        ("MONOCHROME2", None, False, False),
        ("MONOCHROME2", "IDENTITY", False, False),
        ("MONOCHROME2", "INVERSE", True, True),
        ("MONOCHROME1", None, True, False),
        ("MONOCHROME1", "INVERSE", True, False),
        ("MONOCHROME1", "IDENTITY", False, True),
        ("MONOCHROME1", "LIN OD", True, False),
    ],
)
@pytest.mark.parametrize("windowed", [False, True])
def test_polarity(read, photometric, shape, inverted, contradicts, windowed):
    """The presentation LUT shape decides where there is one, after the window; inversion gives a note."""
    elements = {"PhotometricInterpretation": photometric, **SMALL}
    elements |= {"PresentationLUTShape": shape} if shape else {}
    elements |= {"WindowCenter": 2000, "WindowWidth": 1001} if windowed else {}
    image = read(np.tile(np.uint16(STORED), (64, 8)), **elements)
    straight = np.array([0, 0, 0, 0.0005, 0.5005, 1, 1, 1] if windowed else UNIT)
    assert np.allclose(image.pixels[0, :8], 1 - straight if inverted else straight, atol=1e-6)
    assert image.inverted is inverted
    assert (Message("imaging.note.inverted") in image.notes) is inverted
    assert (Message("imaging.dicom.polarity_contradiction") in image.notes) is contradicts


def test_both_polarities_of_an_image_look_the_same(read):
    """To within rounding."""
    samples = np.tile(np.uint16(STORED), (64, 8))
    one = read(samples, **SMALL, WindowCenter=1800, WindowWidth=3000, VOILUTFunction="LINEAR_EXACT")
    elements = {"PhotometricInterpretation": "MONOCHROME1", "WindowCenter": 4095 - 1800, "WindowWidth": 3000}
    other = read(4095 - samples, **SMALL, **elements, VOILUTFunction="LINEAR_EXACT")
    assert np.allclose(one.pixels, other.pixels, atol=1e-6)


@pytest.mark.parametrize(("low", "high", "dtype"), [(100, 3300, "u2"), (0, 4095, "u2"), (-2000, 1900, "i2")])
def test_an_image_that_fills_its_bits_is_not_spread(read, low, high, dtype):
    """Black and white are the ends of the stored bits."""
    samples = grain(0, high - low).astype(dtype) + np.array(low, dtype)
    image = read(samples, **SMALL)
    assert np.allclose(image.pixels, (samples + (2048 if dtype == "i2" else 0)) / 4095, atol=1e-6)
    assert image.notes == ()


def test_fewer_bits_than_stored_are_found_and_noted(read):
    """Twelve in sixteen."""
    samples = grain(0, 3900)
    image = read(samples)
    assert np.allclose(image.pixels, samples / 4095, atol=1e-6)
    assert image.notes == (Message("imaging.note.bits", stored=16, used=12),)


@pytest.mark.parametrize("slope", [0.5, -0.5])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_rescale_does_not_change_how_an_image_is_spread(read, make_image, slope, photometric):
    """In either direction, the bright end is a little above the brightest pixel."""
    film = make_image()
    samples = np.uint16(700 + film * 1800)
    bright_is_low = (slope < 0) != (photometric == "MONOCHROME1")
    elements = {"RescaleSlope": slope, "RescaleIntercept": 100, "PhotometricInterpretation": photometric}
    image = read(4095 - samples if bright_is_low else samples, **elements, **SMALL)
    assert np.abs(image.pixels - film / film.max()).max() < 0.065
    assert image.notes[0] == Message(
        "imaging.dicom.no_window",
        low=100 + min(slope * value for value in (samples_of(samples, bright_is_low))),
        high=100 + max(slope * value for value in (samples_of(samples, bright_is_low))),
    )


def test_an_image_that_uses_little_of_its_range_is_spread_with_a_note(read):
    """From the lowest to the highest value that occurs."""
    samples = grain(200, 1800)
    image = read(samples, **SMALL)
    assert np.allclose(image.pixels, (samples - 200) / 1600, atol=1e-6)
    assert image.notes == (Message("imaging.dicom.no_window", low=200.0, high=1800.0),)


def test_markers_do_not_keep_an_image_dark(read):
    """Two of different values, which are shown white."""
    samples = grain(200, 600)
    samples[:2, :40] = 4095
    samples[-2:, :40] = 2000
    image = read(samples, **SMALL)
    assert (image.pixels[:2, :40] == 1).all()
    assert (image.pixels[-2:, :40] == 1).all()
    assert np.abs(image.pixels - (samples - 200.0) / 400)[2:-2].max() < 0.05
    assert [note.code for note in image.notes] == ["imaging.dicom.no_window", "imaging.note.isolated"]


@pytest.mark.parametrize("value", [0, 7, 4095])
def test_an_image_of_one_value_is_shown(read, value):
    """It is uniform, and nothing is divided by zero."""
    image = read(np.full((64, 64), value, np.uint16), **SMALL)
    assert np.ptp(image.pixels) == 0
    assert read(np.full((64, 64), value, np.uint16), **SMALL, WindowCenter=50, WindowWidth=20).pixels.size
