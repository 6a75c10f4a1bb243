"""A secret is one line of a file that nobody but its owner may open."""

import pytest

from cxrmodel.configuration.secret import check_secret, read_secret
from cxrmodel.errors import SettingError


def test_a_secret_is_the_line_without_its_end(tmp_path):
    """Spaces belong to it."""
    file = tmp_path / "secret"
    file.write_bytes(b" p\xc3\xa4ss \r\n")
    file.chmod(0o400)
    assert read_secret(file) == " päss "


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_file_that_others_may_open_is_refused(tmp_path, mode):
    """Before it is read."""
    file = tmp_path / "secret"
    file.write_text("x", encoding="utf-8")
    file.chmod(mode)
    with pytest.raises(SettingError) as caught:
        check_secret(file)
    assert caught.value.message.code == "configuration.secret.open"
    assert caught.value.message.values["mode"] == f"{mode:03o}"


@pytest.mark.parametrize("content", [b"", b"\n", b"a\nb", b"\xff", b"a\0b", b"x" * 5000])
def test_what_is_not_one_line_is_refused(tmp_path, content):
    """Nothing of it is used."""
    file = tmp_path / "secret"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(SettingError) as caught:
        read_secret(file)
    assert caught.value.message.code == "configuration.secret.not_one_line"


def test_a_folder_and_an_absent_file_are_refused(tmp_path):
    """With different words."""
    codes = []
    for place in (tmp_path, tmp_path / "none"):
        with pytest.raises(SettingError) as caught:
            read_secret(place)
        codes.append(caught.value.message.code)
    assert codes == ["configuration.secret.no_file", "configuration.secret.unreadable"]
