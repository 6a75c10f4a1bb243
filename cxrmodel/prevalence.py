"""Prevalence: the share of positive images that every probability assumes. One default, one setting, one spelling."""

import math
import os
from decimal import Decimal, InvalidOperation

from cxrmodel.errors import SettingError
from cxrmodel.messages import Message

SETTING = "CXR_PREVALENCE"
"""Environment variable: the prevalence of a site, as ``parse_prevalence`` takes it."""
EVEN_ODDS = 0.5
"""Where nothing is set: the image is as likely positive as negative before it is read."""
_LEAST, _MOST = 0.001, 0.999


def parse_prevalence(text: str) -> float:
    """Understand a prevalence: a share, ``0.2``, or a percentage, ``20%``.

    Raises
    ------
    SettingError
        When it is neither, or outside 0.1 % to 99.9 %.
    """
    number = text.strip()
    try:
        share = float(Decimal(number.removesuffix("%")) / (100 if number.endswith("%") else 1))
    except InvalidOperation:
        share = math.nan
    if not _LEAST <= share <= _MOST:
        values = {"least": prevalence_percent(_LEAST), "most": prevalence_percent(_MOST)}
        raise SettingError("reading.no_prevalence", text=text, **values)
    return share


def site_prevalence() -> float:
    """The prevalence that this site has set, else even odds.

    Raises
    ------
    SettingError
        When what is set is no prevalence; the message names the variable.
    """
    setting = os.environ.get(SETTING, "")
    if not setting.strip():
        return EVEN_ODDS
    try:
        return parse_prevalence(setting)
    except SettingError as error:
        raise SettingError("reading.wrong_setting", setting=SETTING, problem=error.message) from None


def prevalence_percent(prevalence: float) -> str:
    """Write a prevalence as a percentage with the decimals that it has: ``20 %``, ``0.1 %``, ``74.09 %``."""
    return f"{100 * prevalence:.6g}\u00a0%"


def prevalence_words(prevalence: float) -> Message:
    """Name a prevalence beside a number: "at even odds", "at a prevalence of 20 %"."""
    if prevalence == EVEN_ODDS:
        return Message("reading.even_odds")
    return Message("reading.prevalence", prevalence=prevalence_percent(prevalence))
