"""What source, publisher and classifier know about themselves: snapshots for health and metrics."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class Standing(NamedTuple):
    """A partition that has brought one error instead of its next record for a while.

    Attributes:
        cause: Where it stands, on what, and what to do.
        seconds: For how long.
        topic: The partition's topic.
    """

    partition: int
    cause: str
    seconds: float
    topic: str = ""


class GroupFacts(NamedTuple):
    """What a source knows of its group, at one moment.

    Attributes:
        join_state: Where the member is on its way into the group; "steady" when it is in.
        is_member: True once the worker has joined the group, with partitions or as a spare.
        broker_answers: True while a broker is known to answer.
        lag_records: Records behind the end, by topic and partition held; as of the last statistics.
        commits_succeeded: Commits that the broker accepted, so far.
        commits_failed: Commits that it answered with an error.
        topics_missing: Input topics that do not exist, as the broker says.
        standing: Partitions that stand still.
        unstable_records: Records behind an open transaction of a producer, by topic and partition held: not to be read
            yet.
        positions_moved: How often a position of the group was given up, by reason, so far.
        records_skipped: Offsets that were gone before they were read, by reason, so far.
    """

    join_state: str
    is_member: bool
    broker_answers: bool
    lag_records: Mapping[tuple[str, int], int]
    commits_succeeded: int
    commits_failed: int
    topics_missing: tuple[str, ...] = ()
    standing: tuple[Standing, ...] = ()
    unstable_records: Mapping[tuple[str, int], int] = MappingProxyType({})
    positions_moved: Mapping[str, int] = MappingProxyType({})
    records_skipped: Mapping[str, int] = MappingProxyType({})


class DeliveryFacts(NamedTuple):
    """How many transactions ended how, so far; both 0 without transactions."""

    transactions_committed: int = 0
    transactions_aborted: int = 0


class ModelFacts(NamedTuple):
    """What a classifier has counted so far; all 0 for one that does not count.

    Attributes:
        windows: Windows computed.
        computed_tokens: Tokens computed, special tokens included, padding not.
        padded_tokens: Padding computed.
        duplicate_texts: Texts that shared the computation of an equal text.
        cache_hits: Texts whose scores came from the cache.
        viewed_texts: Texts computed in two readings, as they were written and as they are read.
        truncated_texts: Texts longer than their windows.
        unscorable_texts: Texts without a finite score.
        float32_retries: Texts computed again in float32, because their score was not finite.
        texts_alone: Texts computed again by themselves, as their batch could have turned a verdict.
        memory_halvings: How often memory ran out and the tokens computed at once were halved for good.
    """

    windows: int = 0
    computed_tokens: int = 0
    padded_tokens: int = 0
    duplicate_texts: int = 0
    cache_hits: int = 0
    viewed_texts: int = 0
    truncated_texts: int = 0
    unscorable_texts: int = 0
    float32_retries: int = 0
    texts_alone: int = 0
    memory_halvings: int = 0


class Ordinary(StrEnum):
    """Whether a label's share is ordinary, and if not, for what; each but `YES` is a value of a metric's label."""

    YES = "yes"
    NOT_FOR_ITS_PAST = "past"
    NOT_FOR_ITS_BAND = "band"


class FlagRate(NamedTuple):
    """How often a label comes.

    Attributes:
        share: Of the newest comments those that have it.
        past: The same of those before them; None while they are too few.
        ordinary: What that says.
    """

    share: float
    past: float | None
    ordinary: Ordinary
