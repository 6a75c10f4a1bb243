"""Licences of all dependencies: permissive, or accepted by name with a reason."""

import re
import tomllib
from email.message import Message
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.test_project import ELSEWHERE, pins

PROJECT = Path(__file__).resolve().parents[1]
TERMS = tomllib.loads((PROJECT / "tests" / "support" / "licences.toml").read_text(encoding="utf-8"))
PINNED = sorted(set(pins(PROJECT / "requirements-dev.txt")) - ELSEWHERE)


def licences(metadata) -> set[str]:
    """SPDX identifiers of a distribution's licences: by its expression, else by its classifiers, else by its text."""
    expression = metadata.get("License-Expression")
    if expression:
        return set(re.split(r"\s+(?:AND|OR)\s+|[()]", expression)) - {""}
    classifiers = [
        line.split(" :: ")[-1] for line in metadata.get_all("Classifier") or [] if line.startswith("License")
    ]
    titles = [title for title in classifiers if title in TERMS["titles"]] or classifiers
    titles = titles or (metadata.get("License") or "").splitlines()[:1]
    return {TERMS["titles"].get(title, title) for title in titles}


def permissive(metadata) -> bool:
    """Whether a distribution has licences and all of them are permissive."""
    return bool(found := licences(metadata)) and found <= set(TERMS["permissive"])


@pytest.mark.parametrize("name", PINNED)
def test_every_dependency_may_be_used(name):
    """Its licence is permissive, or the package is accepted by name."""
    metadata = distribution(name).metadata
    assert permissive(metadata) or name in TERMS["accepted"], licences(metadata)


@pytest.mark.parametrize("name", sorted(TERMS["accepted"]))
def test_only_what_needs_it_is_accepted_by_name(name):
    """An entry without a package, or of a package that is permissive by now, goes; its licence is the one given."""
    assert name in PINNED
    metadata = distribution(name).metadata
    assert not permissive(metadata)
    assert licences(metadata) <= {TERMS["accepted"][name].partition(":")[0]}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"License-Expression": "MIT"}, True),
        ({"License-Expression": "(MIT OR Apache-2.0) AND BSD-3-Clause"}, True),
        ({"License-Expression": "MIT AND GPL-3.0-only"}, False),
        ({"Classifier": "License :: OSI Approved :: MIT License"}, True),
        ({"Classifier": "License :: OSI Approved :: GNU General Public License v3 (GPLv3)"}, False),
        ({"License": "Apache License 2.0"}, True),
        ({"License": "Proprietary"}, False),
        ({}, False),
    ],
)
def test_other_licences_are_noticed(fields, expected):
    """Copyleft, proprietary and missing licences are not permissive."""
    metadata = Message()
    for name, value in fields.items():
        metadata[name] = value
    assert permissive(metadata) is expected
