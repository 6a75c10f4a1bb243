"""Meanings of terms."""

import re

import pytest

from cxrmodel.messages import catalogue
from cxrmodel.metrics.registry import METRICS, ScoreMetric
from cxrmodel.web.components.terms import term_meaning, term_title
from tests.support.pages import page_of, page_text

TERMS = [*METRICS.names, "net_benefit", "interval", "band", "operating_point", "prevalence", "few"]


def page(name: str) -> None:
    from cxrmodel.web.components.terms import explain

    explain(name)


@pytest.mark.parametrize("name", TERMS)
def test_every_term_has_a_title_and_a_meaning(name):
    """A meaning explains; measured figures stand elsewhere."""
    assert len(term_title(name)) > 1
    assert len(term_meaning(name)) > 20
    assert not re.search(r"0\.\d{3}", term_meaning(name))


def test_a_new_metric_is_explained_from_its_registry(monkeypatch):
    """With the texts of its entry."""
    monkeypatch.setitem(catalogue().texts, "metrics.title.toy", "Toy metric")
    monkeypatch.setitem(catalogue().texts, "metrics.meaning.toy", "What a toy metric measures.")
    with METRICS.extended(ScoreMetric("toy", measure=lambda samples: samples)):
        app = page_of(page, "toy").run()
    assert "What a toy metric measures." in page_text(app)
