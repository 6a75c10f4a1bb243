"""``terms.toml``: what the attributes of a DICOM file call modalities, parts of the body, views, sides and ages."""

import json
import tomllib
from functools import cache, cached_property

from cxrmodel.imaging.dicom.terminology.vocabulary import Vocabulary
from cxrmodel.paths import PACKAGE
from cxrmodel.records import Record

NEUTRAL, CHEST = "neutral", "chest"
PART, VIEW, FRONTAL = "part.", "view.", "frontal."
"""What names of an anatomical vocabulary begin with."""

Spellings = dict[str, tuple[str, ...]]


class Terms(Record):
    """The terms of ``terms.toml``, described there.

    Attributes
    ----------
    neutral, chest : tuple of str
        Spellings.
    short : tuple of str
        Short words that may be run together with others.
    chest_codes, other_part_codes : tuple of str
    apart : tuple of str
        Names of parts.
    modality, parts, frontal, views, position_codes, laterality, age_units : dict of str to tuple of str
        Spellings by name.
    classes : dict of str to tuple of str
        Ends of class UIDs by modality.
    view_codes : dict of str to tuple of str
        Codes by the name of a view, frontal or other.
    """

    neutral: tuple[str, ...]
    short: tuple[str, ...]
    chest: tuple[str, ...]
    chest_codes: tuple[str, ...]
    other_part_codes: tuple[str, ...]
    apart: tuple[str, ...]
    modality: Spellings
    classes: Spellings
    parts: Spellings
    frontal: Spellings
    views: Spellings
    position_codes: Spellings
    view_codes: Spellings
    laterality: Spellings
    age_units: Spellings

    @cached_property
    def modalities(self) -> Vocabulary:
        """Modalities by DICOM term, or as "plain", "generic", "document" or "other"."""
        return Vocabulary(self.modality | {NEUTRAL: self.neutral})

    @cached_property
    def anatomy(self) -> Vocabulary:
        """The chest, other parts of the body and views."""
        return Vocabulary(self._anatomy(), self.short)

    @cached_property
    def positions(self) -> Vocabulary:
        """The same with the abbreviations of view positions."""
        codes = {VIEW + name: spellings for name, spellings in self.position_codes.items()}
        anatomy = self._anatomy()
        return Vocabulary(
            anatomy | {name: (*anatomy[name], *spellings) for name, spellings in codes.items()}, self.short
        )

    @cached_property
    def sides(self) -> Vocabulary:
        """Sides by DICOM term."""
        return Vocabulary(self.laterality)

    @cached_property
    def units(self) -> Vocabulary:
        """Units of an age."""
        return Vocabulary(self.age_units)

    def _anatomy(self) -> Spellings:
        named = ((PART, self.parts), (VIEW, self.views), (FRONTAL, self.frontal))
        return {NEUTRAL: self.neutral, CHEST: self.chest} | {
            prefix + name: spellings for prefix, table in named for name, spellings in table.items()
        }


@cache
def terms() -> Terms:
    """The shipped terms, read once."""
    text = (PACKAGE / "imaging" / "dicom" / "terminology" / "terms.toml").read_text(encoding="utf-8")
    return Terms.model_validate_json(json.dumps(tomllib.loads(text)))
