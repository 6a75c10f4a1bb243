"""What is logged of an unexpected error, and what is not."""

import re

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
