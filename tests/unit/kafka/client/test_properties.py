"""What librdkafka is told, and what a user may not tell it."""

from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from worker.errors import SettingsInvalid
from worker.kafka.client.properties import consumer_properties, make_client, producer_properties
from worker.settings import Settings


def settings(**properties: Any) -> Settings:
    return Settings(kafka={"properties": properties})


def test_a_users_property_wins_over_a_default() -> None:
    assert consumer_properties(settings(**{"fetch.wait.max.ms": 7}))["fetch.wait.max.ms"] == 7
    assert producer_properties(settings(**{"compression.type": "zstd"}))["compression.type"] == "zstd"


def test_nothing_is_committed_by_a_timer_and_nothing_skipped_by_default() -> None:
    properties = consumer_properties(Settings())
    assert properties["enable.auto.commit"] is False
    assert properties["enable.auto.offset.store"] is False
    assert properties["auto.offset.reset"] == "error"  # the rules of `start_rules` decide, not librdkafka
    assert properties["partition.assignment.strategy"] == "cooperative-sticky"


def test_a_member_hears_of_a_rebalance_soon_unless_told_otherwise() -> None:
    assert consumer_properties(Settings())["heartbeat.interval.ms"] == 500
    own = Settings(kafka={"properties": {"heartbeat.interval.ms": 2000}})
    assert consumer_properties(own)["heartbeat.interval.ms"] == 2000


def test_kip_848_leaves_out_what_the_broker_decides() -> None:
    properties = consumer_properties(Settings(kafka={"group_protocol": "consumer"}))
    assert properties["group.protocol"] == "consumer"
    assert not {"session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy"} & properties.keys()


def test_no_delivery_outlives_its_transaction() -> None:
    properties = producer_properties(Settings(), "id")
    assert properties["delivery.timeout.ms"] <= properties["transaction.timeout.ms"]


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_librdkafka_takes_what_it_is_told(protocol: str) -> None:
    chosen = Settings(kafka={"group_protocol": protocol})
    make_client(Consumer, consumer_properties(chosen)).close()
    make_client(Producer, producer_properties(chosen))
    make_client(Producer, producer_properties(chosen, "id"))


@pytest.mark.parametrize("given", [{"fetch.mim.bytes": 1}, {"security.protocol": "best"}])
def test_names_and_values_that_librdkafka_does_not_know_are_settings_problems(given: dict[str, Any]) -> None:
    with pytest.raises(SettingsInvalid, match=next(iter(given))):
        make_client(Producer, producer_properties(settings(**given)))


@pytest.mark.parametrize("secret", ["sasl.password", "sasl.oauthbearer.assertion.private.key.passphrase"])
def test_a_secret_is_never_quoted(secret: str) -> None:
    given = {secret: "hunter2", "security.protocol": "SASL_hunter2"}
    with pytest.raises(SettingsInvalid) as caught:
        make_client(Producer, producer_properties(settings(**given)))
    assert "hunter2" not in str(caught.value)


def test_sasl_without_a_mechanism_says_which_setting_is_missing() -> None:
    properties = {"bootstrap.servers": "127.0.0.1:1", "security.protocol": "SASL_SSL", "sasl.username": "me"}
    with pytest.raises(SettingsInvalid, match=r"set sasl\.mechanism, for example SCRAM-SHA-512"):
        make_client(Producer, properties)
