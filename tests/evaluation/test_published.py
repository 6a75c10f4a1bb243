"""Published figures have sources and shares in range."""

import json

import pytest

from cxrmodel.errors import EvaluationError
from cxrmodel.evaluation.published import published


def test_every_figure_has_a_source():
    """With a DOI and a year."""
    figures = published()
    assert len(figures) == 6
    for figure in figures:
        assert figure.doi in figure.reference
        assert figure.citation.rstrip(".")[-1].isdigit()
        assert 0.5 < figure.auc <= 1
        assert 0.5 < figure.accuracy <= 1


@pytest.mark.parametrize(
    "text",
    [None, "", "{", json.dumps({"note": "", "images": 1, "figures": [{"source": "x"}], "sources": {}})],
    ids=["missing", "empty", "no JSON", "no source"],
)
def test_a_damaged_file_is_named(text, tmp_path):
    """The error has a code of its own."""
    path = tmp_path / "published.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(EvaluationError) as caught:
        published(path)
    assert caught.value.message.code == "documents.published_damaged"
