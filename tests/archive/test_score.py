"""An archive is scored: every image has one row, which says what ``read`` says."""

import json
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest

from cxrmodel.archive.columns import IDENTITY, OLDEST, SCHEMA
from cxrmodel.archive.heatmaps import crop_map, heatmap_row
from cxrmodel.archive.manifest import Counts
from cxrmodel.archive.output import Output, read_table
from cxrmodel.archive.scoring import Scorer
from cxrmodel.cli.main import main
from cxrmodel.errors import DataError, ModelError, OutputRefused
from cxrmodel.explain.interpolation import CropMap
from cxrmodel.messages import Message
from cxrmodel.reading import Reader
from cxrmodel.report.table import KEYS, SHARES
from tests.support.archives import begun, files, lay_out, picture, rows, run_of, score
from tests.support.dicom_files import IDENTIFIERS, dicom
from tests.support.stand_ins import FakeReader, fake_reading


@pytest.mark.slow
def test_rows_say_what_read_says(project, tmp_path, capsys):
    """Key by key, but for the name of the file and the time of the reading; and the maps are those of the readings.

    Without a source, the same command continues, and reads none again.
    """
    images = project / "assets" / "demo"
    assert main(["read", "--json", str(images)]) == 3
    read = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert main(["archive", "score", str(images), "--to", str(tmp_path / "out"), "--heatmaps"]) == 3
    assert capsys.readouterr().out == ""
    found = pq.read_table(tmp_path / "out" / "readings").to_pylist()
    assert len(found) == len(read) > 6
    for row, record in zip(found, read, strict=True):
        shares = record.pop("evidence_shares") or {}
        record |= {name: shares.get(name.removeprefix("evidence_")) for name in SHARES}
        for key in set(KEYS) - {"file", "milliseconds", "evidence_shares"} | set(SHARES):
            expected = pytest.approx(record[key], abs=1e-6) if isinstance(record[key], float) else record[key]
            assert row[key] == expected, key
    assert main(["archive", "score", "--to", str(tmp_path / "out"), "--heatmaps"]) == 3
    assert pq.read_table(tmp_path / "out" / "readings").to_pylist() == found
    maps = pq.read_table(tmp_path / "out" / "heatmaps").to_pylist()
    assert [row["item"] for row in maps] == [row["item"] for row in found if row["status"] == "read"]
    image = sorted(images.glob("*.png"))[0]
    heat = Reader.load().read(image.read_bytes(), image.name).heat
    np.testing.assert_allclose(crop_map(maps[0]).on_image(), heat, rtol=2e-3, atol=1e-4)


def test_every_column_is_there_and_every_key_of_read(images, out):
    """In the order of the schema; keys with several values have one column for each."""
    score(out, images)
    assert set(KEYS) - {"evidence_shares"} | set(SHARES) <= set(SCHEMA.names)
    for path in Output(out).parts().values():
        assert pq.read_schema(path).equals(SCHEMA)


def test_identity_is_kept_only_when_asked(tmp_path, out):
    """Without it neither a name nor a DICOM identifier is in any part, nor in the summary; with it they are."""
    images = tmp_path / "images"
    images.mkdir()
    (images / "MEIER ANNA.dcm").write_bytes(dicom(np.zeros((80, 80), np.uint8), StudyInstanceUID="1.2.3.44"))
    score(out, images, identity=False)
    kept = b"".join(path.read_bytes() for path in (out / "summary.html", *out.glob("readings/*")))
    text = kept.decode("latin-1") + str(rows(out))
    assert [word for word in ("MEIER", "1.2.3.44", *IDENTIFIERS) if word in text] == []
    assert {name for name in IDENTITY if rows(out)[0][name] is not None} == set()
    score(tmp_path / "named", images)
    (row,) = rows(tmp_path / "named")
    assert [row[name] for name in IDENTITY[:4]] == ["MEIER ANNA.dcm", "4711-PID", "ACC-0815", "1.2.3.44"]
    assert "DOE" not in str(row)
    for folder in (out / "manifest", tmp_path / "named" / "manifest", tmp_path / "named" / "readings"):
        assert folder.stat().st_mode & 0o077 == 0


def test_what_a_dicom_file_states_is_beside_its_reading(tmp_path, out):
    """Also of one that is refused. High ages are stored as one."""
    images = tmp_path / "images"
    images.mkdir()
    pixels = np.zeros((80, 80), np.uint8)
    stated = {"StudyDate": "20190304", "PatientSex": "F", "Manufacturer": "ACME\nX", "ManufacturerModelName": "Ray 2"}
    (images / "a.dcm").write_bytes(dicom(pixels, PatientAge="003Y", ViewPosition="AP", Modality="DX", **stated))
    (images / "b.dcm").write_bytes(dicom(pixels, PatientAge="097Y", Modality="CT", PatientSex="?", StudyDate=""))
    (images / "c.png").write_bytes(picture(0))
    score(out, images)
    names = ("study_year", "age_years", "sex", "modality", "manufacturer", "device", "view")
    first, second, third = ([row[name] for name in names] for row in rows(out))
    assert first == [2019, 3.0, "F", "DX", "ACME X", "Ray 2", "AP"]
    assert second[:4] == [None, OLDEST, None, "CT"]
    assert third == [None] * len(names)


def test_a_heatmap_is_kept_to_three_digits():
    """The map on the crop, and where the crop lies; none where there is no such map."""
    values = np.random.default_rng(0).uniform(0, 3, (14, 14)).astype(np.float32)
    reading = fake_reading(np.zeros((8, 8)), crop_map=CropMap(values, (10, 20, 200, 214)))
    kept = crop_map(heatmap_row(5, reading))
    assert kept.box == (10, 20, 200, 214)
    np.testing.assert_allclose(kept.values, values, rtol=1e-3)
    assert heatmap_row(5, fake_reading(np.zeros((8, 8)))) is None


def test_heatmaps_lie_beside_their_readings(images, out):
    """In parts of the same blocks, one for each image that was read."""
    reader = FakeReader(crop_map=CropMap(np.ones((2, 3), np.float32), (0, 0, 224, 224)))
    score(out, images, heatmaps=True, reader=reader)
    for block, path in Output(out).parts().items():
        read = [row["item"] for row in read_table(path).to_pylist() if row["status"] == "read"]
        assert read_table(Output(out).heatmap_part(block))["item"].to_pylist() == read


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"version": "densenet121 ffff"}, "archive.other_model"),
        ({"prevalence": 0.2}, "archive.other_prevalence"),
        ({"identity": False}, "archive.with_option"),
        ({"heatmaps": True}, "archive.without_option"),
        ({"part_images": 5}, "archive.other_parts"),
    ],
)
def test_an_output_is_not_continued_with_something_else(images, out, changes, code):
    """Refused in words, and nothing changes."""
    score(out, images)
    before = rows(out)
    with pytest.raises(OutputRefused) as refused:
        score(out, images, **changes)
    assert refused.value.message.code == code
    assert rows(out) == before


def test_other_sources_need_another_output(images, out, tmp_path):
    """So that no image is left out unnoticed."""
    score(out, images)
    with pytest.raises(OutputRefused) as refused:
        score(out, images, lay_out(tmp_path / "more", 1))
    assert refused.value.message.code == "archive.other_sources"


def test_a_process_with_another_model_does_not_score(images):
    """Its version is not the one that the run was begun with."""
    with pytest.raises(ModelError) as refused:
        Scorer(FakeReader(), run_of(images, version="densenet121 ffff").settings)
    assert refused.value.message.code == "archive.other_version"


def test_a_folder_with_something_else_is_not_taken(images, out):
    """Nothing is written into it."""
    lay_out(out, 1)
    with pytest.raises(OutputRefused) as refused:
        score(out, images)
    assert refused.value.message.code == "archive.not_empty"
    assert files(out) == {"000.png"}


def test_an_output_within_a_source_is_refused(images):
    """Its files would be taken for images."""
    with pytest.raises(OutputRefused) as refused:
        score(images / "out", images)
    assert refused.value.message.code == "archive.within_source"
    assert not (images / "out").exists()


def test_sources_without_files_begin_nothing(tmp_path, out):
    """The same output can be begun with other sources."""
    (tmp_path / "nothing").mkdir()
    with pytest.raises(DataError) as refused:
        score(out, tmp_path / "nothing")
    assert refused.value.message.code == "archive.no_images"
    assert score(out, lay_out(tmp_path / "some", 1)).read == 1


def test_several_sources_are_one_archive(tmp_path, out):
    """Rows name the number of their source; the same file in two of them is two images."""
    first, second = lay_out(tmp_path / "a", 5), lay_out(tmp_path / "b", 2)
    assert score(out, first, second).read == 7
    assert [(row["source"], row["file"]) for row in rows(out)] == [
        *((0, f"00{number}.png") for number in range(5)),
        (1, "000.png"),
        (1, "001.png"),
    ]


def test_a_file_replaced_after_listing_is_read_as_it_is_and_marked(images, out):
    """Its row has the hash, size and time of the bytes that were read."""
    with pytest.raises(ZeroDivisionError):
        score(out, images, reader=type("Broken", (FakeReader,), {"read_many": lambda *_: 1 / 0})())
    (images / "002.png").write_bytes(picture(70) + b"\0")
    (images / "003.png").unlink()
    assert score(out, images) == Counts(asked=12, read=8, refused=2, failed=2)
    changed = {row["file"]: row for row in rows(out)}
    assert [name for name, row in changed.items() if row["changed"]] == ["002.png"]
    assert changed["002.png"]["file_bytes"] == len(picture(70)) + 1
    assert (changed["003.png"]["status"], changed["003.png"]["codes"]) == ("error", ["cli.read.unreadable"])
    assert changed["003.png"]["sha256"] is None
    assert "1 image changed" in (out / "summary.html").read_text()


def test_what_comes_after_listing_is_scored_when_asked(images, out):
    """New images get rows of their own, changed ones new rows, and those that are gone keep theirs."""
    score(out, images)
    before = {row["file"]: row for row in rows(out)}
    (images / "001.png").write_bytes(picture(71) + b"\0")
    (images / "005.png").unlink()
    lay_out(images / "sub", 5)
    assert score(out, images).asked == 12
    reader = FakeReader()
    assert score(out, images, update=True, reader=reader).asked == 17
    assert len(reader.read_names) == 6
    after = {row["file"]: row for row in rows(out)}
    assert set(after) == set(before) | {f"sub/00{number}.png" for number in range(5)}
    assert {name for name in before if after[name] != before[name]} == {"001.png"}
    assert after["001.png"]["item"] == before["001.png"]["item"]
    reader = FakeReader()
    assert score(out, images, update=True, reader=reader).asked == 17
    assert reader.read_names == []


def test_a_damaged_part_is_named(images, out):
    """By its path, and nothing is made of it."""
    score(out, images)
    path = Output(out).part(1)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError) as damaged:
        score(out, images)
    assert damaged.value.message == Message("archive.damaged", file=str(path))


def test_a_part_without_a_column_is_damaged(images, out):
    """It has readable rows, and no number of an image."""
    score(out, images)
    path = Output(out).part(1)
    pq.write_table(pq.read_table(path).drop(["item"]), path)
    for use in (lambda: list(begun(out).pending(retry_failed=True)), lambda: list(begun(out).rows(["status"]))):
        with pytest.raises(DataError) as damaged:
            use()
        assert damaged.value.message == Message("archive.damaged", file=str(path))


@pytest.mark.parametrize("listing", [0, 1])
@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(path.read_bytes()[:100]), lambda path: path.unlink()])
def test_without_its_listings_an_output_is_not_continued(images, out, listing, damage):
    """Nobody knows which numbers the images would have."""
    score(out, images)
    lay_out(images / "more", 5)
    score(out, images, update=True)
    lay_out(images / "most", 1)
    score(out, images, update=True)
    before = rows(out)
    damage(Output(out).listing(listing))
    with pytest.raises(DataError) as damaged:
        score(out, images)
    assert damaged.value.message == Message("archive.damaged_listing", file=str(Output(out).listing(listing)))
    assert rows(out) == before


def test_an_output_whose_only_listing_is_gone_is_not_begun_anew(images, out):
    """While it has rows."""
    score(out, images)
    Output(out).listing(0).unlink()
    with pytest.raises(DataError) as damaged:
        score(out, images)
    assert damaged.value.message == Message("archive.damaged_listing", file=str(Output(out).listing(0)))


def test_a_part_that_was_deleted_is_scored_again(images, out):
    """As the message of a damaged one says."""
    score(out, images)
    before = rows(out)
    Output(out).part(1).unlink()
    reader = FakeReader()
    score(out, images, reader=reader)
    assert len(reader.read_names) == 4
    assert rows(out) == before


def test_counts_are_those_of_the_rows(images, out):
    """In the manifest as on the summary page."""
    counts = score(out, images)
    by_status = [row["status"] for row in rows(out)]
    assert (counts.read, counts.refused, counts.failed) == tuple(map(by_status.count, ("read", "refused", "error")))
    assert begun(out).counts() == counts
    assert "imaging.empty" in (out / "summary.html").read_text()


def test_a_missing_extra_is_named(tmp_path, capsys, monkeypatch, project):
    """In one line that says what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert main(["archive", "score", str(project), "--to", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.splitlines()[-1].endswith('pip install "cxrmodel[archive]"')
    assert not (tmp_path / "out").exists()


def test_no_source_is_wrong_usage_where_nothing_was_begun(tmp_path, capsys):
    """Exit status 2, and nothing is made."""
    with pytest.raises(SystemExit) as ended:
        main(["archive", "score", "--to", str(tmp_path / "out")])
    assert ended.value.code == 2
    assert not (tmp_path / "out").exists()
