from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from testkit.clock import FakeClock
from worker.errors import Fatal
from worker.kafka.topic_needs import HEADER_ROOM_BYTES
from worker.kafka.topics import Topics
from worker.settings import Settings

INPUT_LIMIT = 1_048_588


class SlowAdmin:
    """A cluster without topics, whose broker hears of each new one only after it was asked `unknown` times."""

    def __init__(self, unknown: int, **defaults: str) -> None:
        self.unknown = unknown
        self.defaults = {"max.message.bytes": str(INPUT_LIMIT), "retention.ms": "604800000", **defaults}
        self.made: dict[str, dict[str, str]] = {}
        self.asked: dict[str, int] = {}

    def list_topics(self, timeout: float) -> Any:
        del timeout
        return SimpleNamespace(cluster_id="real", topics={})

    def create_topics(self, topics: list[Any], **_: float) -> dict[str, Future[None]]:
        self.made.update({topic.topic: topic.config for topic in topics})
        done: Future[None] = Future()
        done.set_result(None)
        return {topic.topic: done for topic in topics}

    def describe_configs(self, resources: list[Any], **_: float) -> dict[Any, Future[Any]]:
        (resource,) = resources
        self.asked[resource.name] = self.asked.get(resource.name, 0) + 1
        answer: Future[Any] = Future()
        if self.asked[resource.name] <= self.unknown:
            answer.set_exception(KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)))
        else:
            config = self.defaults | self.made[resource.name]
            answer.set_result({name: SimpleNamespace(value=value) for name, value in config.items()})
        return {resource: answer}


def topics_on(admin: SlowAdmin, monkeypatch: pytest.MonkeyPatch) -> Topics:
    clock = FakeClock()
    topics = Topics(Settings(), clock=clock, sleep=clock.sleep, uniform=lambda _, high: high)
    monkeypatch.setattr(topics, "_admin", admin)
    return topics


def test_a_topic_that_brokers_have_not_heard_of_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = SlowAdmin(unknown=4)
    reports = topics_on(admin, monkeypatch).ensure(partitions=6)
    assert [(report.name, report.created, report.differences) for report in reports] == [
        ("comments", True, ()),
        ("comment-labels", True, ()),
        ("comments.dlq", True, ()),
    ]


def test_what_is_written_may_be_larger_than_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = SlowAdmin(unknown=0)
    topics_on(admin, monkeypatch).ensure(partitions=6)
    larger = {"max.message.bytes": str(INPUT_LIMIT + HEADER_ROOM_BYTES)}
    assert admin.made == {"comments": {}, "comment-labels": larger, "comments.dlq": {**larger, "retention.ms": "-1"}}


def test_dead_letters_of_any_time_are_taken_where_brokers_limit_it(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = SlowAdmin(unknown=0, **{"message.timestamp.after.max.ms": "3600000"})
    topics_on(admin, monkeypatch).ensure(partitions=6)
    limits = {topic: config.get("message.timestamp.after.max.ms") for topic, config in admin.made.items()}
    assert limits == {"comments": None, "comment-labels": None, "comments.dlq": str(2**63 - 1)}


def test_a_topic_that_stays_unknown_is_a_fault_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Fatal, match="configuration of comments can't be read"):
        topics_on(SlowAdmin(unknown=10_000), monkeypatch).ensure(partitions=6)
