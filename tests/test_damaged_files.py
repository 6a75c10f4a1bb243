"""Every file of JSON, TOML or CSV that the program reads: damaged in any way, it is an error with a sentence."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cxrmodel.checks.spec import load_check_spec
from cxrmodel.demo import demo_images
from cxrmodel.errors import CxrError
from cxrmodel.evaluation.audits.adults import find_adults
from cxrmodel.evaluation.audits.shortcuts import original_sizes
from cxrmodel.evaluation.published import published
from cxrmodel.evaluation.seeds import load_seeds
from cxrmodel.evaluation.storage import load_evaluation
from cxrmodel.imaging.lung_spec import load_lung_spec
from cxrmodel.model.spec import load_spec
from cxrmodel.paths import ASSETS, RECIPES
from cxrmodel.training.recipe import load_recipe
from cxrmodel.training.record import load_training_record

LONGEST_SENTENCE = 900


class Kept(NamedTuple):
    """A file, and what reads it from a folder."""

    source: Path | bytes
    name: str
    read: Callable[[Path], Any]


FILES = [
    Kept(ASSETS / "model" / "cnn.spec.json", "cnn.spec.json", lambda folder: load_spec("cnn", folder)),
    Kept(ASSETS / "lungs" / "spec.json", "spec.json", load_lung_spec),
    Kept(ASSETS / "checks" / "spec.json", "spec.json", load_check_spec),
    Kept(ASSETS / "demo" / "index.json", "index.json", demo_images),
    Kept(
        ASSETS / "model" / "cnn.training.json",
        "cnn.training.json",
        lambda folder: load_training_record(folder / "cnn.training.json"),
    ),
    Kept(ASSETS / "evaluation" / "cnn.json", "cnn.json", lambda folder: load_evaluation("cnn", folder)),
    Kept(ASSETS / "evaluation" / "seeds.json", "seeds.json", load_seeds),
    Kept(
        ASSETS / "evaluation" / "published.json",
        "published.json",
        lambda folder: published(folder / "published.json"),
    ),
]
TABLES = [
    Kept(b"file,label,patient,boxes_x_y_w_h\na,normal,1,\n", "adult_rsna.csv", find_adults),
    Kept(b"file,original_width,original_height\na,1,1\n", "chest_xray.csv", original_sizes),
]
RECIPE = Kept(RECIPES / "cnn.toml", "cnn.toml", lambda folder: load_recipe(folder / "cnn.toml"))
DAMAGES: dict[str, bytes] = {
    "empty": b"",
    "deep": b"[" * 200_000,
    "deep and whole": b'{"format":' * 50_000 + b"1" + b"}" * 50_000,
    "bytes that are no text": b"\xff\xfe\x00",
    "zeros": bytes(4096),
    "a mark of the byte order": b"\xef\xbb\xbf{}",
    "UTF-16": '{"format": 1}'.encode("utf-16"),
    "a number of 5,000 digits": b'{"format": ' + b"9" * 5000 + b"}",
    "not a number": b'{"format": NaN}',
    "a surrogate": b'{"format": "\\ud800"}',
    "a long unknown key": b'{"' + b"k" * 100_000 + b'": 1}',
    "another document": b"[1, 2]",
}


def put(kept: Kept, folder: Path, content: bytes | None = None) -> None:
    """Write a file as it is, or with other content."""
    if content is None and isinstance(kept.source, Path):
        shutil.copy(kept.source, folder / kept.name)
    else:
        (folder / kept.name).write_bytes(kept.source if content is None else content)


def assert_refused(kept: Kept, folder: Path) -> None:
    """The file is an error with a short sentence on one line."""
    with pytest.raises(CxrError) as raised:
        kept.read(folder)
    sentence = str(raised.value)
    assert 0 < len(sentence) < LONGEST_SENTENCE
    assert len(sentence.splitlines()) == 1


def numbers(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Places of the numbers of a document."""
    if isinstance(document, dict | list):
        for key, value in document.items() if isinstance(document, dict) else enumerate(document):
            yield from numbers(value, (*path, key))
    elif isinstance(document, int | float) and not isinstance(document, bool):
        yield path


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kept", [*FILES, RECIPE], ids=lambda kept: kept.name)
def test_a_damaged_document_is_refused(kept, damage, tmp_path):
    """With a sentence, whatever it holds."""
    put(kept, tmp_path, DAMAGES[damage])
    assert_refused(kept, tmp_path)


@pytest.mark.parametrize("kept", FILES[:5], ids=lambda kept: kept.name)
def test_a_folder_in_place_of_a_document_is_refused(kept, tmp_path):
    """It cannot be read."""
    (tmp_path / kept.name).mkdir()
    assert_refused(kept, tmp_path)


@pytest.mark.parametrize("kept", [*FILES[:6], FILES[7], RECIPE], ids=lambda kept: kept.name)
def test_a_file_that_never_ends_is_refused(kept, tmp_path):
    """No more than 64 MiB of it are read."""
    (tmp_path / kept.name).symlink_to("/dev/zero")
    assert_refused(kept, tmp_path)


@pytest.mark.parametrize("kept", [*FILES[:5], FILES[6]], ids=lambda kept: kept.name)
def test_a_huge_number_is_read_or_refused(kept, tmp_path):
    """In any place: never another error."""
    put(kept, tmp_path)
    whole = json.loads((tmp_path / kept.name).read_bytes())
    places = list(numbers(whole))
    refused = 0
    for path in places[:: max(1, len(places) // 12)]:
        document = json.loads(json.dumps(whole))
        inner = document
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = 10**400
        put(kept, tmp_path, json.dumps(document).encode())
        try:
            kept.read(tmp_path)
        except CxrError as error:
            refused += len(str(error)) < LONGEST_SENTENCE
    assert refused


@pytest.mark.parametrize(
    "damage",
    [
        b"x" * 200_000 + b"\n",
        b"file,label,patient,boxes_x_y_w_h,original_width,original_height\n" + b"a" * 200_000 + b",normal,1,,1,1\n",
        b'file,label,patient,boxes_x_y_w_h,original_width,original_height\n"a,normal,1,,1,1\n',
        b"file,label,patient,boxes_x_y_w_h,original_width,original_height\na,normal\n",
        b"file,label,patient,boxes_x_y_w_h,original_width,original_height\na,normal,1,,1,1,1\n",
        b"file,label,patient,boxes_x_y_w_h,original_width,original_height\na,odd,1,1 1,x,1\n",
        b"file\na\n",
        b"\xff\xfe\n\n",
        "file,label\na,b\n".encode("utf-16"),
    ],
)
@pytest.mark.parametrize("kept", TABLES, ids=lambda kept: kept.name)
def test_a_damaged_table_is_refused(kept, damage, tmp_path):
    """A field too long, an open quote, rows of other lengths, other columns or encodings."""
    put(kept, tmp_path, damage)
    assert_refused(kept, tmp_path)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("kept", TABLES, ids=lambda kept: kept.name)
def test_a_table_that_a_spreadsheet_saved_is_read(kept, mark, tmp_path):
    """With a mark of the byte order, other line ends and other columns."""
    assert isinstance(kept.source, bytes)
    put(kept, tmp_path, mark + kept.source.replace(b"\n", b",more\r\n"))
    assert kept.read(tmp_path)
