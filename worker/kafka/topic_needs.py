"""What the worker needs of the topics it writes, and how a topic's configuration differs from it.

A dead letter is its record and some headers, and a label event carries its comment: both are larger than the record
they come from, so both topics must take larger records than the input topic does.

A dead letter keeps its record's timestamp, whose age counts against the topic's retention: the letter of a comment read
from a long backlog would go at once. So dead letters stay until somebody deletes them, and records from the future are
taken.
"""

from collections.abc import Iterator, Mapping

HEADER_ROOM_BYTES = 65_536
"""What a dead letter's headers, or a label event around its comment, may add; ours are below 8 KiB."""

MAX_BYTES = "max.message.bytes"
_RETENTION = "retention.ms"
_FOR_EVER = "-1"
_CLEANUP = "cleanup.policy"
_COMPACT = "compact"
_TIMESTAMP_TYPE = "message.timestamp.type"
_OF_APPENDING = "LogAppendTime"
_FUTURE = "message.timestamp.after.max.ms"
_PAST = "message.timestamp.before.max.ms"
_ANY_TIME = str(2**63 - 1)


def room_for_outcomes(*input_configs: Mapping[str, str]) -> dict[str, str]:
    """The configuration of topics whose records are made from those of the input topics."""
    return {MAX_BYTES: str(max(int(config[MAX_BYTES]) for config in input_configs) + HEADER_ROOM_BYTES)}


def kept(like: Mapping[str, str]) -> dict[str, str]:
    """Configuration that keeps dead letters, on brokers whose topics are configured like this one."""
    # Brokers before KIP-937 (Kafka 3.6) take any timestamp, and don't know the name.
    return {_RETENTION: _FOR_EVER} | ({_FUTURE: _ANY_TIME} if _FUTURE in like else {})


def too_small(name: str, config: Mapping[str, str], needed: Mapping[str, str]) -> Iterator[str]:
    """Whether a topic has no room for outcomes."""
    if config and needed and int(config[MAX_BYTES]) < int(needed[MAX_BYTES]):
        yield (
            f"{name} takes records up to {MAX_BYTES} = {config[MAX_BYTES]} bytes; {needed[MAX_BYTES]} are needed, "
            "since its records are larger than those of the input topic: " + alter(name, MAX_BYTES, needed[MAX_BYTES])
        )


def without_keys(name: str, config: Mapping[str, str]) -> Iterator[str]:
    """Whether the topic of the label events refuses those of comments without a key."""
    if is_compacted(config):
        yield (
            f"{name} is compacted ({_CLEANUP} = {config[_CLEANUP]}): it refuses the event of a comment without a key, "
            "which becomes a dead letter, and keeps only the last event of each key"
        )


def short_lived(name: str, config: Mapping[str, str]) -> Iterator[str]:
    """Whether the topic of the dead letters drops them before their time, or refuses them."""
    if is_compacted(config):
        yield (
            f"{name} is compacted ({_CLEANUP} = {config[_CLEANUP]}): it refuses dead letters without a key and keeps "
            f"only the last one of each key: {alter(name, _CLEANUP, 'delete')}"
        )
    if config.get(_TIMESTAMP_TYPE) == _OF_APPENDING:
        return
    if config.get(_RETENTION, _FOR_EVER) != _FOR_EVER:
        yield (
            f"{name} drops records {config[_RETENTION]} ms after their timestamp, which for a dead letter is that of "
            f"the rejected record, however late it was rejected: {alter(name, _RETENTION, _FOR_EVER)}, or "
            f"{_TIMESTAMP_TYPE}={_OF_APPENDING} to count from the rejection"
        )
    for limit, what in ((_FUTURE, "after"), (_PAST, "before")):
        if config.get(limit, _ANY_TIME) != _ANY_TIME:
            yield (
                f"{name} refuses records with a timestamp more than {config[limit]} ms {what} now; such dead letters "
                f"are sent with the time of their rejection instead: {alter(name, limit, _ANY_TIME)} keeps the original"
            )


def is_compacted(config: Mapping[str, str]) -> bool:
    """Whether a topic keeps the last record of each key."""
    return _COMPACT in config.get(_CLEANUP, "")


def alter(name: str, config: str, value: str) -> str:
    """The command that sets it."""
    return f"kafka-configs --alter --topic {name} --add-config {config}={value}"
