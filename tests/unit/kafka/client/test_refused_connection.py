"""Which failed connections only a person can fix, and what they are told."""

import pytest
from confluent_kafka import KafkaError

from worker.kafka.client.error_codes import refused_connection

UNOBTAINED = "Failed to acquire SASL OAUTHBEARER token: "


@pytest.mark.parametrize(
    "said",
    [
        "Failed to connect to 127.0.0.1:1 after 0 ms: Could not connect to server",
        "Could not resolve host: nowhere.invalid",
        "Failed to parse JSON response at 0/6",
    ],
)
def test_a_token_endpoint_that_does_not_answer_is_waited_for(said: str) -> None:
    assert refused_connection(KafkaError(KafkaError._AUTHENTICATION, UNOBTAINED + said)) is None


def test_a_token_endpoint_that_refuses_is_named_and_not_the_broker() -> None:
    answer = '{"error":"invalid_client","error_description":"the secret of alice is wrong"}'
    fault = refused_connection(KafkaError(KafkaError._AUTHENTICATION, UNOBTAINED + answer))
    assert "the token endpoint refused this client (invalid_client)" in str(fault)
    assert "sasl.oauthbearer.client.id" in str(fault)
    assert "broker" not in str(fault)
    assert "alice" not in str(fault)


def test_a_wrong_password_is_the_brokers_refusal() -> None:
    fault = refused_connection(KafkaError(KafkaError._AUTHENTICATION, "SASL authentication error: Invalid username"))
    assert "the broker refused the connection" in str(fault)
