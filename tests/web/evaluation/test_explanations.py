"""The Explanations section of the Evaluation page: whole, and in a sentence where it is missing."""

import pytest

from cxrmodel.evaluation.explanations.schema import AdultAttribution, AdultExplanations
from cxrmodel.explain.methods import METHODS
from cxrmodel.metrics import formatting
from tests.support.made_up_sections import EXPLANATIONS, estimate
from tests.support.pages import page_of, page_text, words

GRADCAM = EXPLANATIONS.methods[0]
FAILED = GRADCAM.randomisation.model_copy(update={"depends_on_model": False, "shuffled_labels": 0.22})
SALIENCY = GRADCAM.model_copy(update={"name": "saliency", "images": 12, "randomisation": FAILED})
ADULTS = AdultExplanations(
    images=68,
    without_lungs=1,
    expected_by_area=0.12,
    methods=(AdultAttribution(name="gradcam", peak_in_box=estimate(0.5), share=estimate(0.3)),),
)
SECTION = EXPLANATIONS.model_copy(
    update={"methods": (GRADCAM, SALIENCY), "agreement": ((None, 0.33), (0.33, None)), "adults": ADULTS}
)


def page(section):
    from cxrmodel.web.evaluation.explanations import explanations

    explanations(section, "How the intervals were made.")


def test_missing():
    """One sentence, and nothing drawn."""
    app = page_of(page, None).run()
    assert [element.value for element in app.markdown] == [words("web.evaluation.not_measured")]
    assert not app.table
    assert not app.exception


def test_whole():
    """Every method has its figures, the one that fails its test is marked, and the curves are drawn."""
    app = page_of(page, SECTION).run()
    assert not app.exception
    faithfulness, randomisation, agreement, adults = (shown.value for shown in app.table)
    titles = [METHODS[name].title for name in ("gradcam", "saliency")]
    for shown in (faithfulness, randomisation, agreement):
        assert list(shown.iloc[:, 0]) == titles
    assert formatting.estimate(GRADCAM.deletion_auc, 2) in faithfulness.iloc[0, 1]
    assert formatting.estimate(GRADCAM.in_lungs_positive, 2) in list(faithfulness.iloc[0])
    assert list(randomisation.iloc[:, -2]) == [words("web.explanations.yes"), words("web.explanations.no")]
    assert list(randomisation.iloc[:, 2]) == [formatting.number(None), "0.22"]
    assert list(agreement.iloc[0, 1:]) == ["", "0.33"]
    assert adults.iloc[0, 1] == formatting.estimate(estimate(0.5), 2)
    assert len(app.get("vega_lite_chart")) == 1
    assert "12" in page_text(app)


@pytest.mark.parametrize("adults", [ADULTS, None])
def test_adults_have_a_table_where_they_were_measured(adults):
    """Three tables, and a fourth for adults."""
    app = page_of(page, SECTION.model_copy(update={"adults": adults})).run()
    assert len(app.table) == 3 + (adults is not None)
    assert not app.exception
