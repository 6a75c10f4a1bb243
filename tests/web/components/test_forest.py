"""The forest plot as HTML."""

import re

from cxrmodel.evaluation.report.rows import Row
from cxrmodel.messages import Message
from cxrmodel.metrics.estimate import Estimate
from cxrmodel.web.components.forest import forest_html

GROUPS = [Message("documents.group.models"), Message("documents.group.shortcuts")]


def test_dot_whisker_and_words_lie_where_the_figure_is():
    """Texts are escaped; a caveat makes the dot hollow; a withheld figure has none."""
    caveat = Message("documents.few.counts", counts=("<3>",))
    rows = [
        Row(GROUPS[0], "<i>a</i>", Estimate(0.75, 0.6, 0.9, 60)),
        Row(GROUPS[0], "b", Estimate(0.9875, None, None, 60)),
        Row(GROUPS[1], "c", Estimate.undefined(), withheld=caveat),
        Row(GROUPS[1], "d", Estimate(0.55, 0.5, 0.6, 60), caveat=caveat),
    ]
    html = forest_html(rows, 0.5, 1.0, 0.5)
    assert re.findall(r"<h4>(.*?)</h4>", html) == list(map(str, GROUPS))
    assert 'class="dot" style="left:50.00%"' in html
    assert 'class="whisker" style="left:20.00%;width:60.00%"' in html
    assert 'class="diamond" style="left:97.50%"' in html
    assert "&lt;i&gt;a&lt;/i&gt;" in html
    assert "0.750 (0.600 to 0.900)" in html
    assert 'class="dot few" style="left:10.00%"' in html
    assert html.count("&lt;3&gt;") == 2
    assert html.count('few"') == 1
