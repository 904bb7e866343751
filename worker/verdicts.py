"""What turns scores into a verdict: threshold sets, the tiers that they give, and the language of a text."""

import math
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class Tier(StrEnum):
    """What a comment's scores ask for; the value of the label event's `tier`."""

    NONE = "none"
    REVIEW = "review"
    ACT = "act"


class MadeFor(StrEnum):
    """Which model a threshold set was chosen for; the value of the label event's `thresholds.made_for`."""

    THIS_MODEL = "this-model"
    ANOTHER_MODEL = "another-model"
    UNSTATED = "unstated"


class ThresholdSet(NamedTuple):
    """Versioned thresholds.

    Attributes:
        name: Name and version, such as `default@1`.
        values: For each label the lowest score that is flagged: its review value, or where it has none its act value.
            A label without a value is never flagged.
        act: For each label the lowest score that is acted on; a label without one never is.
        made_for: Whether the set was chosen for the model it is used with.
    """

    name: str
    values: dict[str, float]
    act: Mapping[str, float] = MappingProxyType({})
    made_for: MadeFor = MadeFor.UNSTATED

    def lowest_flagged(self, label: str) -> float:
        """The lowest score that is flagged; infinity for a label that never is."""
        return self.values.get(label, math.inf)

    def lowest_acted(self, label: str) -> float:
        """The lowest score that is acted on; infinity for a label that never is."""
        return self.act.get(label, math.inf)


class Language(NamedTuple):
    """The language of a text.

    Attributes:
        detected: ISO 639-1 code of the most likely one (639-3 where that has none); None when nothing was found.
        reliable: Whether that is certain; never for short texts, nor for those in several languages.
        supported: False when the text is surely in a language the model does not know; None when nothing says which
            languages it knows.
    """

    detected: str | None
    reliable: bool
    supported: bool | None
