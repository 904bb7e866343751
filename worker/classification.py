"""What a classifier says of a text, in words that need neither torch nor Kafka."""

from typing import NamedTuple


class TextFacts(NamedTuple):
    """How a text was read: `tokens` scored (special tokens included), in how many `windows`, and if any were cut."""

    tokens: int
    windows: int
    truncated: bool


class Classification(NamedTuple):
    """Labels of one text.

    Attributes:
        scores: Independent sigmoid scores in [0, 1], rounded to six decimals, one per label in the model's order.
        labels: Names of the labels at or above their threshold, in the model's order.
        text: How the text was read.
    """

    scores: dict[str, float]
    labels: tuple[str, ...]
    text: TextFacts

    @property
    def flagged(self) -> bool:
        """True when at least one label reached its threshold."""
        return bool(self.labels)


class Unscorable(NamedTuple):
    """One text the model cannot score (say, a score that is not finite after an fp32 retry), and why."""

    error: str
    reason: str


class ModelIdentity(NamedTuple):
    """Names what computed a score, so that it can be reproduced.

    Attributes:
        id: Hub name, folder name or embedded name.
        revision: Revision asked for or recorded in the checkpoint; None when unknown.
        digest: `sha256:` and the digest of the weights, configuration and tokenizer files.
        precision: `float32`, `bfloat16` or `int8`: what the linear layers computed in.
    """

    id: str
    revision: str | None
    digest: str
    precision: str


class ThresholdSet(NamedTuple):
    """Versioned thresholds: `name` such as `default@1`, and for each label the lowest score that is flagged."""

    name: str
    values: dict[str, float]
