"""What a worker says of the cluster it finds: at its start in one block, and by its readiness while it runs."""

import json
import socket
import urllib.error
import urllib.request
from contextlib import closing

import pytest

from testkit.kafka import Kafka, eventually, free_ports
from testkit.stream import Topics, comments
from testkit.workers import WorkerProcess

pytestmark = pytest.mark.kafka

PROGRESS_SECONDS = 240
NO_BROKER = 3


def readiness(port: int) -> tuple[int, str]:
    """Status and text of /readyz; (0, "") while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def test_a_dead_letter_topic_that_is_missing_or_short_lived_is_named_before_the_first_bad_record(kafka: Kafka) -> None:
    short_lived, missing = Topics(kafka), Topics(kafka)
    missing.dead_letters += "-missing"
    for topics, said in (
        (short_lived, f"warning: {short_lived.dead_letters} drops records 604800000 ms after their timestamp"),
        (missing, f"warning: topic {missing.dead_letters} does not exist"),
    ):
        with WorkerProcess(kafka.bootstrap_servers, topics.settings) as worker:
            assert eventually(lambda w=worker, s=said: s in w.log, PROGRESS_SECONDS)  # type: ignore[misc] # a default binds the loop's variable
            assert "`sluice doctor` looks again" in worker.log
            assert worker.terminate() == 0


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_worker_whose_topic_is_deleted_is_not_ready_until_it_is_back(kafka: Kafka, protocol: str) -> None:
    topics = Topics(kafka)
    topics.fill(comments(20))
    (port,) = free_ports(1)
    settings = {**topics.settings, "kafka.group_protocol": protocol, "http.port": port}
    with WorkerProcess(kafka.bootstrap_servers, settings) as worker:
        assert eventually(lambda: topics.is_done() and readiness(port)[0] == 200, PROGRESS_SECONDS)
        kafka.delete_topic(topics.input)
        assert eventually(lambda: readiness(port)[0] == 503, PROGRESS_SECONDS)
        assert f"topic {topics.input} does not exist" in readiness(port)[1]
        kafka.create_topic(topics.input, 4)
        count = topics.fill(comments(20, start=20))
        assert eventually(lambda: len(topics.read(topics.output)) >= 20 + count, PROGRESS_SECONDS)
        assert eventually(lambda: readiness(port)[0] == 200, PROGRESS_SECONDS)
        assert worker.terminate() == 0
    ids = [json.loads(event.value() or b"")["comment"]["id"] for event in topics.read(topics.output)]
    assert sorted(set(ids)) == sorted(f"c-{number}" for number in range(40))


def test_a_token_endpoint_that_does_not_answer_is_waited_for_and_named() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as broker:
        properties = {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "OAUTHBEARER",
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.client.id": "sluice",
            "sasl.oauthbearer.client.secret": "a-secret",
            "sasl.oauthbearer.token.endpoint.url": "http://127.0.0.1:9/token",
        }
        settings = {"kafka.properties": json.dumps(properties), "kafka.no_broker_seconds": 5}
        with WorkerProcess(f"127.0.0.1:{broker.getsockname()[1]}", settings) as worker:
            assert worker.process.wait(PROGRESS_SECONDS) == NO_BROKER
            assert "Failed to acquire SASL OAUTHBEARER token" in worker.log
            assert "the broker refused" not in worker.log
            assert "a-secret" not in worker.log
