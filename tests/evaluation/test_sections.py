"""Sections are added to the evaluation of their own version, outlive a new one of them, and no other."""

import json

import pytest

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.sections import kept_sections, save_section
from cxrmodel.evaluation.storage import load_evaluation, save_evaluation

SECTION = {"images": 3, "rows": [{"name": "a", "auc": {"value": 0.5, "low": None, "high": None}}]}


def test_a_section_comes_back_and_replaces_its_namesake(make_document, make_spec, tmp_path):
    """Others stay."""
    version = make_spec().version
    save_evaluation(make_document(), tmp_path)
    save_section("densenet121", version, "checks", {"old": 1}, tmp_path)
    save_section("densenet121", version, "audits", {"other": 2}, tmp_path)
    save_section("densenet121", version, "checks", SECTION, tmp_path)
    loaded = load_evaluation("densenet121", tmp_path, make_spec())
    assert loaded.sections == {"checks": SECTION, "audits": {"other": 2}}
    assert kept_sections("densenet121", version, tmp_path) == loaded.sections


def test_another_version_keeps_nothing_and_takes_nothing(make_document, tmp_path):
    """A section never ends up beside figures of another network."""
    path = save_evaluation(make_document() | {"sections": {"checks": SECTION}}, tmp_path)
    assert kept_sections("densenet121", "densenet121 000000000000", tmp_path) == {}
    before = path.read_bytes()
    with pytest.raises(EvaluationError, match="another version"):
        save_section("densenet121", "densenet121 000000000000", "checks", SECTION, tmp_path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", [None, "", "{", "[]", json.dumps({"sections": 5})])
def test_nothing_is_kept_of_a_missing_or_damaged_file(text, tmp_path):
    """Nor is anything added to it."""
    if text is not None:
        (tmp_path / "densenet121.json").write_text(text)
    assert kept_sections("densenet121", "densenet121 000000000000", tmp_path) == {}
    with pytest.raises(EvaluationError, match="Run python -m cxrmodel evaluate first"):
        save_section("densenet121", "densenet121 000000000000", "checks", SECTION, tmp_path)
