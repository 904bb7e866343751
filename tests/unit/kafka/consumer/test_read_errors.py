"""An error that only a person can fix ends the worker with what to do; any other is logged, folded."""

import pytest
from confluent_kafka import KafkaError

from worker.errors import Fatal
from worker.kafka.consumer.read_errors import fault_of_reading


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (KafkaError.GROUP_AUTHORIZATION_FAILED, "--operation Read --group moderation"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "--operation Read --topic comments"),
        (KafkaError._FATAL, "the consumer can't continue"),
    ],
)
def test_what_only_a_person_can_fix_says_how(code: int, advice: str) -> None:
    fault = fault_of_reading(KafkaError(code), "comments", "moderation")
    assert isinstance(fault, Fatal)
    assert advice in str(fault)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (KafkaError.INCONSISTENT_GROUP_PROTOCOL, "stop the older consumers of this group, or choose another group"),
        (KafkaError.UNRELEASED_INSTANCE_ID, "Another live member has the same group.instance.id"),
        (KafkaError.UNSUPPORTED_VERSION, "needs Kafka 4.0"),
    ],
)
def test_a_group_that_does_not_take_the_worker_in_is_reported_with_what_to_do(
    code: int, advice: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert fault_of_reading(KafkaError(code), "comments", "moderation") is None
    assert advice in caplog.text
    fatal = fault_of_reading(KafkaError(code, fatal=True), "comments", "moderation")
    assert isinstance(fatal, Fatal)
    assert advice in str(fatal)


@pytest.mark.parametrize(
    ("cause", "advice"),
    [
        (KafkaError.GROUP_AUTHORIZATION_FAILED, "lacks the right Read on group moderation: kafka-acls"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "lacks the right Read on topic comments: kafka-acls"),
        (KafkaError.SASL_AUTHENTICATION_FAILED, "check the credentials in kafka.properties"),
        (KafkaError.UNRELEASED_INSTANCE_ID, "Another live member has the same group.instance.id"),
        (KafkaError.UNSUPPORTED_VERSION, "needs Kafka 4.0"),
        (KafkaError.INVALID_REQUEST, "start the worker again. Nothing is lost"),
    ],
)
def test_a_fatal_error_whose_words_name_its_cause_has_the_advice_for_that_cause(cause: int, advice: str) -> None:
    words = f"Fatal error: {KafkaError(cause).str()}: ConsumerGroupHeartbeat fatal error"
    fault = fault_of_reading(KafkaError(KafkaError._FATAL, words), "comments", "moderation")
    assert isinstance(fault, Fatal)
    assert advice in str(fault)


def test_an_invalid_request_that_is_not_fatal_or_not_a_heartbeats_asks_for_no_restart(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert fault_of_reading(KafkaError(KafkaError.INVALID_REQUEST), "comments", "moderation") is None
    assert "start the worker again" not in caplog.text
    fatal = fault_of_reading(KafkaError(KafkaError.INVALID_REQUEST, fatal=True), "comments", "moderation")
    assert "start the worker again" not in str(fatal)


def test_a_transient_error_is_logged_once_however_often_it_comes(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(100):
        assert fault_of_reading(KafkaError(KafkaError.NOT_COORDINATOR), "comments", "g") is None
    assert len(caplog.records) == 1


@pytest.mark.parametrize("code", [KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.UNKNOWN_TOPIC_ID])
def test_a_missing_topic_is_reported_by_who_watches_it(code: int, caplog: pytest.LogCaptureFixture) -> None:
    assert fault_of_reading(KafkaError(code), "comments", "g") is None
    assert not caplog.records
