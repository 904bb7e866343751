"""How soon a group of KIP-848 gives up a worker that died, and the commands that make it sooner.

With `kafka.group_protocol=consumer` the broker decides, by the group's `consumer.session.timeout.ms`. By default that
is 45 s, and until then nobody reads the partitions of a worker that was killed.
"""

from collections.abc import Iterator, Mapping
from typing import Final

SESSION: Final = "consumer.session.timeout.ms"
_HEARTBEAT: Final = "consumer.heartbeat.interval.ms"
_LEAST_SESSION: Final = "group.consumer.min.session.timeout.ms"
_LEAST_HEARTBEAT: Final = "group.consumer.min.heartbeat.interval.ms"

SESSION_MS: Final = 12_000
"""The classic protocol's session (`worker.kafka.client.properties`): a shorter one gives up workers that only froze."""

_HEARTBEAT_MS: Final = 3_000
_LONG_MS: Final = 15_000


def long_session(group: str, config: Mapping[str, str], broker: Mapping[str, str]) -> Iterator[str]:
    """Whether a group waits long for a worker that died.

    Args:
        group: Name of the group.
        config: The group's configuration.
        broker: A broker's configuration, which has the least that a group may be given; empty if unknown.
    """
    session = config.get(SESSION, "")
    if not session.isdigit() or int(session) <= _LONG_MS:
        return
    alter = "kafka-configs --bootstrap-server BROKER --alter --entity-type groups --entity-name"
    yield (
        f"group {group} hands over the partitions of a worker that was killed after {int(session) / 1000:g} s "
        f"({SESSION} = {session}). {_least(broker)}{alter} {group} --add-config "
        f"{SESSION}={SESSION_MS},{_HEARTBEAT}={_HEARTBEAT_MS} makes it {SESSION_MS / 1000:g} s"
    )


def _least(broker: Mapping[str, str]) -> str:
    """What the brokers must be given before they accept the group's configuration."""
    needed = {_LEAST_SESSION: SESSION_MS, _LEAST_HEARTBEAT: _HEARTBEAT_MS}
    if not broker:
        return f"Where the brokers' {_LEAST_SESSION} allows it, "
    lower = [f"{name}={most}" for name, most in needed.items() if int(broker.get(name, most)) > most]
    return f"First {' and '.join(lower)} in the brokers' server.properties, with a restart; then " if lower else ""
