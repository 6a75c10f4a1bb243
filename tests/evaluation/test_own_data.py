"""A user's own images: found in every layout, grouped by patient where names tell, measured, and offered by name."""

import json
import os

import pytest

from cxrmodel.errors import DataError, EvaluationError
from cxrmodel.evaluation.documents import load_own
from cxrmodel.evaluation.own_data import dataset_name, evaluate_folder, own_images
from cxrmodel.evaluation.provenance import images_sha256, read_image
from cxrmodel.evaluation.schema import Dataset
from cxrmodel.evaluation.storage import load_file, own_evaluations, text_of
from cxrmodel.imaging.radiograph import MAX_BYTES
from cxrmodel.metrics.performance import evaluate_scores
from cxrmodel.training.archive import Image


@pytest.fixture
def ward(tmp_path):
    """A function that fills a folder in a layout with images whose bytes are their logits."""

    def fill(layout: str = "", names=("a", "b", "c", "d")):
        for label, centre in (("NORMAL", -1), ("PNEUMONIA", 1)):
            place = tmp_path / "My ward" / layout / label
            place.mkdir(parents=True)
            for index, name in enumerate(names):
                (place / f"{name}.png").write_bytes(os.fsencode(f"{centre * (1 + index) - 1.5}#{label}{name}"))
        return tmp_path / "My ward"

    return fill


@pytest.mark.parametrize("layout", ["", "test", "chest_xray/test", "chest_xray"])
def test_layouts(layout, ward):
    """In the folder itself, in test, or as the archive has it."""
    images, base, _ = own_images(ward(layout))
    assert len(images) == 8
    assert [image.label for image in images] == [0] * 4 + [1] * 4
    assert images[0].name == "/".join(filter(None, (layout, "NORMAL", "a.png")))
    assert base == (layout or ".")


def test_the_test_images_come_before_the_rest(archive):
    """Of a whole archive the test folder is measured."""
    images, _, named = own_images(archive)
    assert {image.name.split("/")[1] for image in images} == {"test"}
    assert len({image.patient for image in images}) == 24
    assert named == len(images)


def test_names_that_are_no_text_can_be_stored(ward):
    """Bytes that are not UTF-8 are code points; any other name is exact."""
    names = (os.fsdecode(b"\xff"), "a\u202eb", "\u05d0")
    stored = [image.name for image in own_images(ward(names=names))[0] if image.label]
    assert sorted(stored) == sorted(f"PNEUMONIA/{name}.png" for name in ("\\u{dcff}", "a\u202eb", "\u05d0"))
    assert "".join(stored).encode("utf-8")


def test_other_names_are_patients_of_their_own(ward):
    """A name in both folders is two patients."""
    images, _, named = own_images(ward())
    assert len({image.patient for image in images}) == 8
    assert named == 0


def test_mixed_names(ward):
    """Those that follow the archive's are grouped."""
    images, _, named = own_images(ward(names=("x", "IM-0001-0001", "person7_virus_1", "person7_virus_2")))
    assert len({image.patient for image in images}) == 7
    assert named == 3


@pytest.mark.parametrize(
    ("missing", "code"), [("folder", "no_folders"), ("class", "no_folders"), ("images", "empty_folder")]
)
def test_what_is_missing_is_named(missing, code, ward):
    """A folder of its own for each class, and images in both."""
    folder = ward()
    if missing == "folder":
        folder = folder / "elsewhere"
    for path in (folder / "PNEUMONIA").glob("*"):
        path.unlink()
    if missing == "class":
        (folder / "PNEUMONIA").rmdir()
    with pytest.raises(DataError) as caught:
        own_images(folder)
    assert caught.value.message.code == f"evaluation.error.{code}"


def test_measured_and_found_again(reader, ward, tmp_path):
    """The file is whole, its figures follow from its scores, and it is offered under the folder's name."""
    evaluation = evaluate_folder(reader, ward(), out=tmp_path / "out", progress=False)
    path = tmp_path / "out/My ward.densenet121.json"
    assert own_evaluations(tmp_path / "out") == {"My ward": {"densenet121": path}}
    assert load_file(path, "densenet121", reader.spec) == evaluation
    assert list(evaluation.splits) == ["test"]
    assert evaluation.dataset == Dataset(name="My ward", folder=".", named=0)
    test = evaluation.splits["test"]
    assert test.files[0] == "NORMAL/a.png"
    scores = (test.labels, test.probabilities, test.patients)
    assert test.performance == evaluate_scores(*scores, evaluation.operating_points, prevalence=0.5)
    assert len(evaluation.provenance.images_sha256["test"]) == 64


def test_refused_images_are_counted(reader, ward, tmp_path):
    """A file that is no image is named with its reason and costs no other."""
    folder = ward()
    (folder / "NORMAL" / "letter.txt").write_text("no number")
    test = evaluate_folder(reader, folder, "w", tmp_path / "out", progress=False).splits["test"]
    assert test.counts.refused == 1
    assert test.refused[0].file == "NORMAL/letter.txt"
    assert len(test.images) == 8


def test_a_file_of_any_size_is_read_to_the_limit(tmp_path):
    """Decoders refuse it by the byte too many; the rest is never in memory."""
    path = tmp_path / "terabyte"
    with path.open("wb") as stream:
        stream.truncate(2**40)
    assert len(read_image(path)) == MAX_BYTES + 1
    assert images_sha256([Image(path, "a", "test", "normal", "", "a")])


def test_all_of_a_class_refused(reader, ward, tmp_path):
    """Then there is nothing to measure, and nothing is written."""
    folder = ward()
    for path in (folder / "NORMAL").iterdir():
        path.write_text("broken")
    with pytest.raises(DataError) as caught:
        evaluate_folder(reader, folder, out=tmp_path / "out", progress=False)
    assert caught.value.message.code == "metrics.error.one_class"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 62, "a.b"])
def test_a_name_stays_in_its_folder(name, tmp_path):
    """Nothing but a plain name."""
    with pytest.raises(EvaluationError) as caught:
        dataset_name(tmp_path, name)
    assert caught.value.message.code == "evaluation.error.name"


def test_a_folders_name_is_made_plain(tmp_path):
    """Where it has signs that a name may not have."""
    assert dataset_name(tmp_path / "Ward 3 (2024)") == "Ward 3 -2024"


def test_figures_of_other_weights_are_refused(reader, ward, tmp_path, make_spec):
    """As for the shipped ones."""
    evaluate_folder(reader, ward(), "w", tmp_path, progress=False)
    with pytest.raises(EvaluationError) as caught:
        load_file(tmp_path / "w.densenet121.json", "densenet121", make_spec(version="densenet121 other"))
    assert caught.value.message.code == "evaluation.error.version"


def test_what_was_never_measured(tmp_path):
    """The sentence names the command."""
    with pytest.raises(EvaluationError, match="evaluate --data DIR --name ward"):
        load_own("ward", folder=tmp_path)


def test_an_evaluation_without_held_out_images_needs_a_name(make_evaluation, make_spec, tmp_path):
    """Ours must hold both splits."""
    document = json.loads(text_of(make_evaluation()))
    del document["splits"]["held_out"]
    (tmp_path / "densenet121.json").write_text(json.dumps(document))
    with pytest.raises(EvaluationError) as caught:
        load_file(tmp_path / "densenet121.json", "densenet121", make_spec())
    assert caught.value.message.code == "evaluation.error.damaged"
