"""How often the checks refuse: counted by hand on stand-ins, and on a small sample of real pictures."""

import csv
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from cxrmodel.checks.report import PASSED, REJECTED, WARNING, CheckReport, CheckResult
from cxrmodel.errors import ColourImage, UnreadableFile
from cxrmodel.evaluation.audits import checks
from cxrmodel.evaluation.audits.checks import audit_checks, grey_at_image_size, tally
from cxrmodel.evaluation.audits.hard_cases import CHANGED, SYNTHETIC
from cxrmodel.evaluation.audits.schema import CheckSet
from cxrmodel.evaluation.audits.valid_cases import VALID
from cxrmodel.reading import Reader
from cxrmodel.training.archive import find_images


def report(**outcomes: str) -> CheckReport:
    """A report with the given outcome of each rule."""
    return CheckReport(tuple(CheckResult(check, outcome, None, 0.0, None) for check, outcome in outcomes.items()))


def test_tally_by_hand():
    """An image with two warnings counts once; each check counts alone, also where another rejects already."""
    rows = [
        (report(size=PASSED, rotation=PASSED), 0.1),
        (report(size=WARNING, mirroring=WARNING).extended(report(size=WARNING).results), 0.2),
        (report(size=WARNING, rotation=REJECTED, projection=REJECTED), 0.3),
        UnreadableFile("broken"),
        (report(rotation=REJECTED), 0.4),
    ]
    assert tally("hand", rows) == CheckSet(
        name="hand",
        images=5,
        read=2,
        warned=1,
        rejected=3,
        measured=("mirroring", "projection", "rotation", "size"),
        rejected_by={"UnreadableFile": 1, "projection": 1, "rotation": 2},
        warned_by={"mirroring": 1, "size": 2},
    )


def test_a_change_without_a_warning_counts_only_where_it_is_read():
    """By more than 0.05, without a warning, and where both could be decoded."""
    undisturbed = [(report(size=PASSED), 0.5)] * 5 + [UnreadableFile("broken")]
    rows = [
        (report(size=PASSED), 0.56),
        (report(size=PASSED), 0.54),
        (report(size=WARNING), 0.9),
        (report(size=REJECTED), 0.9),
        UnreadableFile("broken"),
        (report(size=PASSED), 0.9),
    ]
    assert tally("clahe", rows, undisturbed).silent == 1
    assert tally("clahe", rows).silent is None


def test_nothing_is_nothing():
    """An empty collection has counts of zero."""
    found = tally("hand", [])
    assert (found.images, found.warned, found.measured) == (0, 0, ())


def test_grey_at_image_size_hides_size_and_colour():
    """A small red picture becomes a grey one of 1,024 px."""
    stream = BytesIO()
    Image.new("RGB", (64, 40), (200, 10, 10)).save(stream, "PNG")
    with Image.open(BytesIO(grey_at_image_size(stream.getvalue()))) as grey:
        assert (grey.mode, grey.size) == ("L", (1024, 1024))


@pytest.mark.parametrize("name", SYNTHETIC)
def test_drawings_are_pictures(name):
    """Of image size, in grey levels, and the same for the same seed."""
    first, second = (SYNTHETIC[name](np.random.default_rng(3)) for _ in range(2))
    assert (first.shape, first.dtype) == ((1024, 1024), np.uint8)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", CHANGED | VALID)
def test_changed_images_leave_the_image_alone(name):
    """A new picture of uint8; the image itself is not written to."""
    image = np.random.default_rng(0).integers(0, 256, (224, 224)).astype(np.uint8)
    before = image.copy()
    made = (CHANGED | VALID)[name](image, np.random.default_rng(0))
    assert made.dtype == np.uint8
    assert made.shape != image.shape or (made != image).any()
    np.testing.assert_array_equal(image, before)


class _Stub:
    """Refuses what is brighter than its mean; its probability is that mean."""

    spec = SimpleNamespace(
        split_seed=3,
        prevalence=0.5,
        operating_points={"high_sensitivity": 0.2, "balanced": 0.5, "high_specificity": 0.8},
    )

    def _mean(self, data: bytes) -> float:
        with Image.open(BytesIO(data)) as picture:
            return float(np.asarray(picture.convert("L")).mean() / 255)

    def examine(self, source, name):
        mean = self._mean(source())
        return report(contrast=REJECTED if mean > 0.9 else WARNING if mean > 0.7 else PASSED), mean

    def score_many(self, items, checked=True):
        assert not checked
        for data, _ in items:
            yield SimpleNamespace(probability=self._mean(data))


def test_an_audit_counts_what_is_there(make_archive, tmp_path, monkeypatch):
    """Without originals, adults and other pictures: test images, held-out images and the hard cases."""
    monkeypatch.setattr(checks, "CASES", 1)
    found = audit_checks(_Stub(), make_archive(tmp_path, patients=12), progress=False)
    assert [row.name for row in found.sets] == ["test", "held_out", *SYNTHETIC, *CHANGED, *VALID]
    for row in found.sets:
        assert row.images == row.read + row.rejected > 0
        assert str(row.title)
        assert str(row.description)
    test = found.sets[0]
    assert test.images == len(find_images(tmp_path, ("test",))) == test.read
    assert found.all_images == found.read_images
    assert 0 <= found.inversion.max_difference <= 1


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The shipped DenseNet."""
    return Reader.load()


def _refused(reader: Reader, items) -> list[bool]:
    rows = [reader.examine(lambda data=data: data, "x") for data in items]
    return [isinstance(row, (ColourImage, UnreadableFile)) or row[0].outcome == REJECTED for row in rows]


@pytest.mark.images
def test_real_images_are_read(reader, data_root):
    """A sample of the official test and of the originals, none of which is refused."""
    images = [image.path for image in find_images(data_root, ("test",))[::40]]
    images += sorted((data_root / "originals").glob("*/*.jpeg"))[::16]
    assert not any(_refused(reader, (path.read_bytes() for path in images)))


@pytest.mark.images
def test_real_strangers_are_refused(reader, data_root):
    """Slices, hands and photographs: each in its original form; with those in grey at image size, 98 % of all."""
    files = [path.read_bytes() for path in sorted((data_root / "not_chest").glob("*/*")) if path.is_file()]
    if not files:
        pytest.skip("the public archive alone has no not_chest folder")
    originals, grey = _refused(reader, files), _refused(reader, map(grey_at_image_size, files))
    assert all(originals)
    assert sum(originals) + sum(grey) >= 0.98 * 2 * len(files)


@pytest.mark.images
def test_both_polarities_give_one_probability(reader, data_root, png):
    """Within two hundredths, on a sample of the official test."""
    for image in find_images(data_root, ("test",))[::78]:
        with Image.open(image.path) as picture:
            pixels = np.asarray(picture.convert("L")).astype(np.float32) / 255
        first, second = (reader.read(png(levels), "x") for levels in (pixels, 1 - pixels))
        assert second.check.corrections == ("inverted",)
        assert first.probability == pytest.approx(second.probability, abs=0.02)


@pytest.mark.images
def test_listed_dicom_objects_are_judged_as_listed(reader, data_root):
    """Where DICOM is read: every object that is no chest radiograph is refused, every chest radiograph read."""
    pytest.importorskip("cxrmodel.imaging.dicom.image", reason="this version does not read DICOM")
    with (data_root / "dicom.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        found = reader.examine((data_root / row["file"]).read_bytes, row["file"])
        refused = isinstance(found, Exception) or found[0].outcome == REJECTED
        assert refused == (row["expect"] == "refuse"), row["file"]
