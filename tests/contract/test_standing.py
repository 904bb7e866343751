"""A partition that stands still is not healthy: each case on a real broker, with what an operator is told."""

import time
from typing import Any

import pytest
from confluent_kafka import Producer

from testkit.kafka import eventually
from testkit.member import Member, produce
from tests.contract.backend import PARTITIONS
from tests.contract.group import Group
from worker.observability.health import Health

pytestmark = pytest.mark.kafka

HUGE = 46_000
"""Records of 850 equal bytes: 39 MiB that zstd packs into a fraction of a megabyte, which any broker takes."""


def send_a_batch_that_unpacks_to_tens_of_mebibytes(group: Group) -> None:
    producer = Producer(
        {
            "bootstrap.servers": group.backend.bootstrap_servers,
            "compression.type": "zstd",
            "batch.num.messages": 1_000_000,
            "batch.size": 120_000_000,
            "message.max.bytes": 200_000_000,
            "linger.ms": 4_000,
            "queue.buffering.max.messages": HUGE,
            "log_level": 0,
        }
    )
    failed: list[Any] = []
    for _ in range(HUGE):
        producer.produce(group.input, b"x" * 850, partition=0, on_delivery=lambda e, _: failed.append(e) if e else None)
    producer.flush(60)
    assert not failed, failed[0]


def test_a_batch_that_unpacks_to_tens_of_mebibytes_is_read(real_group: Group) -> None:
    send_a_batch_that_unpacks_to_tens_of_mebibytes(real_group)
    member = real_group.join()
    member.step_until(lambda: len(member.polled) == HUGE)


def test_a_batch_that_cannot_be_unpacked_is_known_with_its_partition_offset_and_cure(real_group: Group) -> None:
    real_group.fill(5)
    send_a_batch_that_unpacks_to_tens_of_mebibytes(real_group)
    member = real_group.join({"receive.message.max.bytes": 10_000_000})
    member.step_until(lambda: bool(member.source.facts().standing))
    assert len(member.polled) == 5 * PARTITIONS
    (standing,) = member.source.facts().standing
    assert standing.partition == 0
    assert "offset 5" in standing.cause
    assert "receive.message.max.bytes" in standing.cause
    health = ready_health()
    health.standing([standing])
    assert health.live().ok
    assert not health.ready().ok
    health.standing([standing._replace(seconds=600)])
    (reason,) = health.live().reasons
    assert f"partition 0 of {real_group.input} has stood still for 600 s at offset 5" in reason


def ready_health() -> Health:
    health = Health(time.monotonic)
    health.model_loaded()
    health.joined()
    health.broker_seen()
    assert health.ready().ok
    return health


def test_records_behind_an_open_transaction_are_counted_though_they_are_no_lag(real_group: Group) -> None:
    holder = Producer(
        {
            "bootstrap.servers": real_group.backend.bootstrap_servers,
            "transactional.id": real_group.name,
            "transaction.timeout.ms": 60_000,
            "log_level": 0,
        }
    )
    holder.init_transactions()
    holder.begin_transaction()
    holder.produce(real_group.input, b"held", partition=0)
    holder.flush()
    produce(
        real_group.backend.bootstrap_servers,
        real_group.input,
        ({"value": b"%d" % n, "partition": 0} for n in range(50)),
    )
    member = real_group.join()

    def unstable(member: Member) -> int:
        member.step()
        return member.source.facts().unstable_records.get((real_group.input, 0), 0)

    assert eventually(lambda: unstable(member) == 51, 60, 0.0)
    assert member.polled == []
    holder.abort_transaction()
    member.step_until(lambda: len(member.polled) == 50)
    assert eventually(lambda: unstable(member) == 0, 60, 0.0)
