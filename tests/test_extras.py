"""A library of an extra: the module itself, or one sentence that says what to install."""

import sys

import pytest

from cxrmodel.errors import MissingExtra
from cxrmodel.extras import need
from cxrmodel.messages import Message


def test_an_installed_module_is_given():
    """The very module that an import gives, also of a package within a package."""
    assert need("xml.etree.ElementTree", "archive") is sys.modules["xml.etree.ElementTree"]


@pytest.mark.parametrize(("module", "library"), [("cxr_no_such", "cxr_no_such"), ("cxr_no_such.part", "cxr_no_such")])
def test_a_missing_library_is_named_with_its_extra(module, library):
    """By the name of the library, not of its part."""
    with pytest.raises(MissingExtra) as caught:
        need(module, "archive")
    assert caught.value.message == Message("package.missing_extra", library=library, extra="archive")


def test_what_a_library_lacks_itself_is_named(tmp_path, monkeypatch):
    """An installation that is incomplete, which the same command repairs."""
    (tmp_path / "cxr_incomplete.py").write_text("import cxr_no_such.part\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtra) as caught:
        need("cxr_incomplete", "hospital")
    assert caught.value.message == Message("package.missing_extra", library="cxr_no_such", extra="hospital")
