"""The words of a verdict: tiers, and what a threshold set was made for."""

from enum import StrEnum


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
