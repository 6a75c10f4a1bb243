"""Types of arguments that are numbers."""

import argparse
from collections.abc import Callable

from cxrmodel.errors import SettingError
from cxrmodel.messages import Message
from cxrmodel.prevalence import parse_prevalence


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """Make an argument type: a whole number from ``least`` to ``most``, both included; anything else is wrong usage."""

    def parse(text: str) -> int:
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(str(Message("cli.number.too_small", number=number, least=least)))
        if most is not None and number > most:
            raise argparse.ArgumentTypeError(str(Message("cli.number.too_large", number=number, most=most)))
        return number

    parse.__name__ = "whole number"  # argparse names the type by it
    return parse


def prevalence(text: str) -> float:
    """Argument type: a share or a percentage from 0.1 % to 99.9 %; anything else is wrong usage."""
    try:
        return parse_prevalence(text)
    except SettingError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
