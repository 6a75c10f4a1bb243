"""What the viewer is told of a reading."""

from dataclasses import replace

import numpy as np
import pytest
from stand_ins import fake_reading
from viewer_buffer import unpack

from cxrmodel.web.viewer import SIDES_ASSUMED, assets, badges_of, packed
from cxrmodel.web.viewer_data import film_levels


def told(reading=None, **shown) -> dict:
    """The header of what is sent for a reading."""
    reading = reading or fake_reading(np.full((60, 80), 0.5), "Jane Doe.png")
    radiograph = reading.radiograph
    film = film_levels(radiograph.pixels, radiograph.bits, reading.lungs.mask)
    return unpack(packed(reading, film, **{"overlay": True} | shown))[0]


def test_header_of_a_reading():
    """Film in words, model, disclaimer, a file name; never the name of the film, which may be a patient's."""
    header = told()
    checksum = header["key"][:8]
    assert header["description"] == "Chest film, 80 by 60 pixels, 8 bits. Finding: pneumonia."
    assert header["provenance"].startswith(
        "Not for diagnosis; research use only. Model densenet121 0123456789ab. Film "
    )
    assert header["file"] == f"film {checksum} heatmap.png"
    assert header["remark"] == "83\u00a0% of the heat lies within the lung fields."
    assert header["title"] == "Grad-CAM: what each place adds to the logit"
    assert header["heat"]["range"] == 2.5
    assert header["overlay"] is True
    assert header["spacing"] is None
    assert header["sides"] == SIDES_ASSUMED
    assert "Jane" not in str(header)


@pytest.mark.parametrize(
    ("probability", "below", "uncertain"),
    [(0.1, True, False), (0.44, True, True), (0.45, False, True), (0.9, False, False)],
)
def test_overlay_below_the_operating_point_says_so(probability, below, uncertain):
    """The balanced threshold of the stand-in is 45 %; its band reaches from 20 to 80 %."""
    remark = told(fake_reading(np.zeros((64, 64)), probability=probability))["remark"]
    said = "The film is below the balanced threshold of 45.0\u00a0%: whatever heat is shown did not suffice for it."
    assert (said in remark, "Finding: uncertain" in remark) == (below, uncertain)


def test_range_is_not_stretched_to_the_film():
    """A film with little heat keeps the range of every film."""
    header = told(fake_reading(np.zeros((64, 64)), heat=np.full((224, 224), 0.1, np.float32)))
    assert (header["heat"]["range"], round(header["heat"]["peak"], 3)) == (2.5, 0.1)


def test_another_map_can_be_shown():
    """Another method brings its map, range and title."""
    header = told(heat=np.ones((14, 10), np.float32), heat_range=4.0, heat_title="Occlusion")
    assert header["heat"] == {"width": 10, "height": 14, "range": 4.0, "peak": 1.0}
    assert header["title"] == "Occlusion"


def test_badges():
    """Each note has its word; a word that is unknown is a correction; given badges stand instead."""
    notes = ("The film was inverted so that air is dark.", "The film was turned by 180 degrees.", "Something else.")
    assert [word for word, _ in badges_of(notes)] == ["Inverted", "Turned", "Corrected"]
    assert [sentence for _, sentence in badges_of(notes)] == list(notes)
    reading = fake_reading(np.zeros((64, 64)))
    reading = replace(reading, radiograph=replace(reading.radiograph, notes=notes[:1]))
    assert told(reading)["badges"] == [["Inverted", notes[0]]]
    assert told(reading, badges=[("Flipped", "By the file.")])["badges"] == [["Flipped", "By the file."]]


def test_every_file_of_the_viewer_is_used_and_loads_nothing(project):
    """The scripts are joined in one module that imports nothing and names no other server."""
    parts = assets()
    for path in (project / "assets" / "viewer").iterdir():
        assert path.read_text(encoding="utf-8") in "".join(parts.values())
    assert parts["js"].count("export ") == 1
    for text in parts.values():
        assert "import " not in text
        assert "//" not in text.replace("//www.w3.org", "") or "http" not in text


@pytest.mark.parametrize("name", ["viewer.css", "viewer.html", "viewer.js", "canvas.js", "controls.js"])
def test_viewer_files_stay_small(project, name):
    """Under 300 lines, as every module."""
    assert len((project / "assets" / "viewer" / name).read_text(encoding="utf-8").splitlines()) < 300
