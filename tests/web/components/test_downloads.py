"""Downloads: names, tables, files made on demand."""

import csv
import io
import re

from cxrmodel.web.components.downloads import lazily, table_csv
from tests.test_logs import broken


def test_csv_has_every_column_and_no_formula():
    """Rows may differ in their columns; text that begins like a formula is quoted."""
    table = table_csv([{"a": 1, "b": "=1+1"}, {"a": 2.5, "c": "x,y"}]).decode()
    assert list(csv.DictReader(io.StringIO(table))) == [
        {"a": "1", "b": "'=1+1", "c": ""},
        {"a": "2.5", "b": "", "c": "x,y"},
    ]
    assert table_csv([]) == b"\n"


def test_lazy_file_is_made_only_when_asked_for():
    """Nothing is made before the call, and the call gives its bytes."""
    made = []
    make = lazily(lambda: made.append(1) or b"bytes")
    assert made == []
    assert make() == b"bytes"


def test_failing_lazy_file_gives_only_a_reference(caplog):
    """The error that leaves it, with all that it chains, is free of the file's name."""
    try:
        lazily(lambda: broken("Jane Doe.png"))()
    except RuntimeError as error:
        raised = error
    assert re.search(r"reference number [0-9A-F]{6}$", str(raised))
    assert raised.__cause__ is None
    assert raised.__context__ is None
    assert "Jane" not in caplog.text
