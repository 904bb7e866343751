"""The topics and members of one contract test."""

from collections.abc import Callable
from typing import Any

from testkit.member import Judge, Member, as_labelled, produce
from testkit.topic_reader import committed_offsets, read_to_end
from tests.contract.backend import PARTITIONS, Backend
from worker.settings import Settings
from worker.types import Outcome


class Group:
    """The topics and members of one test."""

    def __init__(self, backend: Backend, name: str) -> None:
        self.backend = backend
        self.input = backend.create_topic(f"in-{name}")
        self.output = backend.create_topic(f"out-{name}")
        self.dead_letters = backend.create_topic(f"dlq-{name}")
        self.name = f"group-{name}"
        self.members: list[Member] = []

    def settings(self, properties: dict[str, Any] | None = None, **sections: Any) -> Settings:
        return Settings(
            kafka={
                "bootstrap_servers": self.backend.bootstrap_servers,
                "group_id": self.name,
                "group_protocol": self.backend.protocol,
                "properties": self.backend.properties | (properties or {}),
            },
            input={"topic": self.input, **sections.pop("input", {})},
            output={"topic": self.output},
            dead_letters={"topic": self.dead_letters, **sections.pop("dead_letters", {})},
            **sections,
        )

    def join(
        self,
        properties: dict[str, Any] | None = None,
        *,
        judge: Judge = as_labelled,
        enlarge: Callable[[Outcome], bytes] | None = None,
        **sections: Any,
    ) -> Member:
        """A new member; properties and sections are added to the group's settings."""
        member = Member(self.settings(properties, **sections), judge, enlarge)
        self.members.append(member)
        return member

    def fill(self, each: int) -> None:
        """Produce this many records to each partition; a record's value is its number in the partition."""
        produce(
            self.backend.bootstrap_servers,
            self.input,
            ({"value": b"%d" % n, "key": b"k%d" % p, "partition": p} for n in range(each) for p in range(PARTITIONS)),
        )

    def committed(self) -> dict[int, int]:
        """How far the group has come, without the partitions of which it has settled nothing."""
        return {partition: offset for partition, offset in self.places().items() if offset > 0}

    def places(self) -> dict[int, int]:
        """The group's committed offsets, those at the beginning included."""
        return committed_offsets(self.backend.bootstrap_servers, self.name, self.input)

    def published(self) -> list[str]:
        """The input positions of the records in the output topic."""
        return [
            dict(m.headers())["position"].decode()
            for m in read_to_end(self.backend.bootstrap_servers, self.output)
            if m.value() is not None
        ]

    def everything(self, each: int) -> list[str]:
        return sorted(f"{self.input}/{p}/{n}" for p in range(PARTITIONS) for n in range(each))

    def close(self) -> None:
        for member in self.members:
            member.close()
