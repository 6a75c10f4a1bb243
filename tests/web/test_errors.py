"""What is logged of an unexpected error, and what is not."""

import re

from cxrmodel.web.components.downloads import lazily
from cxrmodel.web.errors import log_failure


def broken(name: str) -> bytes:
    """Fail with a message that quotes a file name."""
    raise OSError(f"cannot open {name}")


def test_log_has_reference_kind_and_place_but_no_message(caplog):
    """The log tells an operator where to look, and nothing of the patient."""
    try:
        broken("Jane Doe.png")
    except OSError as error:
        reference = log_failure(error)
    assert re.fullmatch(r"[0-9A-F]{6}", reference)
    assert f"reference {reference}: OSError at test_errors.py:" in caplog.text
    assert "Jane" not in caplog.text


def test_references_differ(caplog):
    """Two failures have two references."""
    assert log_failure(ValueError()) != log_failure(ValueError())
    assert "ValueError at no line" in caplog.text


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
