"""The prevalence: how it is written, and where it comes from."""

import pytest

from cxrmodel.errors import SettingError
from cxrmodel.messages import Message
from cxrmodel.prevalence import (
    EVEN_ODDS,
    SETTING,
    parse_prevalence,
    prevalence_percent,
    prevalence_words,
    site_prevalence,
)


@pytest.mark.parametrize(
    ("text", "share"),
    [("0.2", 0.2), (".5", 0.5), ("20%", 0.2), (" 20 % ", 0.2), ("12.5%", 0.125), ("0.001", 0.001), ("99.9%", 0.999)],
)
def test_a_share_or_a_percentage(text, share):
    """With a point as the decimal mark."""
    assert parse_prevalence(text) == share


@pytest.mark.parametrize(
    "text",
    ["", "0", "1", "0%", "100%", "20", "-0.2", "nan", "nan%", "inf", "0,2", "%", "1/5", "rare", "0.0009", "0.9991"],
)
def test_anything_else_is_refused(text):
    """Never a guess."""
    with pytest.raises(SettingError) as caught:
        parse_prevalence(text)
    assert caught.value.message.code == "reading.no_prevalence"


@pytest.mark.parametrize(("setting", "share"), [(None, EVEN_ODDS), ("", EVEN_ODDS), (" ", EVEN_ODDS), ("20%", 0.2)])
def test_the_site_may_set_it(monkeypatch, setting, share):
    """Even odds where it does not."""
    monkeypatch.delenv(SETTING, raising=False)
    if setting is not None:
        monkeypatch.setenv(SETTING, setting)
    assert site_prevalence() == share


def test_a_wrong_setting_is_refused_by_name(monkeypatch):
    """Nothing is read at a prevalence that nobody meant."""
    monkeypatch.setenv(SETTING, "rare")
    with pytest.raises(SettingError) as caught:
        site_prevalence()
    assert caught.value.message.code == "reading.wrong_setting"
    assert caught.value.message.values["setting"] == SETTING


@pytest.mark.parametrize(
    ("prevalence", "percent"), [(0.2, "20"), (0.29, "29"), (0.7409, "74.09"), (0.001, "0.1"), (0.125, "12.5")]
)
def test_in_words(prevalence, percent):
    """With the decimals that it has."""
    assert prevalence_percent(prevalence) == f"{percent}\u00a0%"
    assert prevalence_words(prevalence) == Message("reading.prevalence", prevalence=f"{percent}\u00a0%")
    assert prevalence_words(EVEN_ODDS) == Message("reading.even_odds")
