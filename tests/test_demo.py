"""The demo films on disk are the six that their index lists."""

import hashlib
import json
from pathlib import Path

import pytest
from PIL import Image

from cxrmodel.demo import FILMS_FOLDER, demo_films
from cxrmodel.errors import DataError


@pytest.fixture(scope="module")
def index() -> dict:
    return json.loads((FILMS_FOLDER / "index.json").read_text(encoding="utf-8"))


def test_three_films_of_each_kind():
    """Six in all, and nothing else in the folder."""
    films = demo_films()
    assert [film.kind for film in films] == ["normal"] * 3 + ["pneumonia"] * 3
    assert {path.name for path in FILMS_FOLDER.glob("*.png")} == {film.name for film in films}


def test_films_are_the_listed_ones(index):
    """Checksums match, and each file stays small."""
    for film in index["films"]:
        data = (FILMS_FOLDER / film["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == film["sha256"]
        assert len(data) < 100_000


@pytest.mark.parametrize("film", demo_films(), ids=lambda film: film.name)
def test_every_film_says_that_it_is_synthetic(film):
    """In its name, its title, and the PNG's own description."""
    assert film.name.startswith("synthetic-")
    assert film.title.startswith("Synthetic ")
    with Image.open(film.path) as picture:
        assert picture.text["Description"].startswith("Synthetic film")


def test_no_film_is_nearer_to_a_training_film_than_other_patients_are(index):
    """As measured when they were drawn."""
    others = index["other_patients"]
    for film in index["films"]:
        assert film["nearest_rmse"] > others["rmse"]["percentile_1"] > others["rmse"]["minimum"]
        assert film["nearest_correlation"] < others["correlation"]["percentile_99"] < others["correlation"]["maximum"]


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"films": [{}]}', '{"films": 1}'])
def test_a_damaged_index_is_named(tmp_path: Path, content):
    """One sentence that names the folder."""
    if content is not None:
        (tmp_path / "index.json").write_text(content)
    with pytest.raises(DataError, match="demo films in"):
        demo_films(tmp_path)
