"""With a broker that requires a password over TLS, the worker connects, or ends and says what to fix."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator

import pytest

from testkit.child_process import ROOT
from testkit.kafka import eventually, kafka_home
from testkit.secured_kafka import MECHANISMS, SecuredKafka
from testkit.stream import Topics, comments
from testkit.workers import WorkerProcess, environment_of

pytestmark = pytest.mark.kafka

PROGRESS_SECONDS = 120
WRONG = secrets.token_hex(16)
GUARANTEES = ["at-least-once", "exactly-once"]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    with SecuredKafka(kafka_home(), tmp_path_factory.mktemp("keys")) as broker:
        yield broker


@pytest.mark.parametrize("guarantee", GUARANTEES)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_worker_with_the_password_labels_every_comment(secured: SecuredKafka, mechanism: str, guarantee: str) -> None:
    topics = Topics(secured.cluster)
    count = topics.fill(comments(100))
    with worker(secured, secured.properties(mechanism), topics, guarantee) as process:
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        assert process.terminate() == 0
        assert secured.password not in process.log
    assert len(topics.read(topics.output)) == count


def test_a_worker_with_client_credentials_gets_tokens_and_renews_them(secured: SecuredKafka) -> None:
    topics, issued = Topics(secured.cluster), secured.tokens.issued
    with worker(secured, secured.oidc_properties(), topics, "at-least-once") as process:
        first = topics.fill(comments(100))
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        clients = secured.tokens.issued - issued
        # The broker ends a connection whose token has run out and was not renewed.
        assert eventually(lambda: secured.tokens.issued - issued >= 3 * clients, PROGRESS_SECONDS)
        count = first + topics.fill(comments(100, start=100))
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        assert process.terminate() == 0
        assert secured.tokens.client_secret not in process.log
    assert len(topics.read(topics.output)) == count


def test_refused_client_credentials_end_the_worker_and_the_provider_is_named(secured: SecuredKafka) -> None:
    properties = secured.oidc_properties() | {"sasl.oauthbearer.client.secret": WRONG}
    with worker(secured, properties, Topics(secured.cluster), "at-least-once") as process:
        assert process.process.wait(PROGRESS_SECONDS) == 1
        assert "the token endpoint refused this client" in process.log
        assert "sasl.oauthbearer.client.secret" in process.log
        assert WRONG not in process.log


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_a_worker_with_a_certificate_labels_every_comment(secured: SecuredKafka, guarantee: str) -> None:
    topics = Topics(secured.cluster)
    count = topics.fill(comments(100))
    with worker(secured, secured.mutual_properties(), topics, guarantee, secured.cluster.mutual_servers) as process:
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        assert process.terminate() == 0
        assert secured.password not in process.log
    assert len(topics.read(topics.output)) == count


def test_a_worker_without_its_certificate_ends_or_waits_and_says_why(secured: SecuredKafka) -> None:
    properties = {"security.protocol": "SSL", "ssl.ca.location": str(secured.authority)}
    with worker(
        secured, properties, Topics(secured.cluster), "at-least-once", secured.cluster.mutual_servers
    ) as process:
        assert eventually(lambda: "certificate" in process.log.lower(), PROGRESS_SECONDS)


@pytest.mark.parametrize("guarantee", GUARANTEES)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_wrong_password_ends_the_worker_and_is_named_as_the_cause(
    secured: SecuredKafka, mechanism: str, guarantee: str
) -> None:
    properties = secured.properties(mechanism, sasl_password=WRONG)
    with worker(secured, properties, Topics(secured.cluster), guarantee) as process:
        assert process.process.wait(PROGRESS_SECONDS) == 1
        assert "the broker refused the connection (_AUTHENTICATION" in process.log
        assert "check the credentials in kafka.properties" in process.log
        assert WRONG not in process.log


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_a_broker_whose_certificate_is_not_trusted_ends_the_worker(secured: SecuredKafka, guarantee: str) -> None:
    properties = secured.properties(ssl_ca_location=str(secured.stranger))
    with worker(secured, properties, Topics(secured.cluster), guarantee) as process:
        assert process.process.wait(PROGRESS_SECONDS) == 1
        assert "the broker's certificate can't be verified" in process.log
        assert "ssl.ca.location" in process.log
        assert secured.password not in process.log


@pytest.mark.parametrize("command", ["topics", "produce", "watch", "dead-letters show", "dead-letters replay"])
def test_a_wrong_password_ends_every_command_at_once(secured: SecuredKafka, command: str) -> None:
    settings = {
        **Topics(secured.cluster).settings,
        "kafka.bootstrap_servers": secured.cluster.secured_servers,
        "kafka.properties": json.dumps(secured.properties(sasl_password=WRONG)),
        "kafka.no_broker_seconds": 10 * PROGRESS_SECONDS,  # so that it can only end for the right reason
    }
    ended = subprocess.run(
        [sys.executable, "-m", "worker", *command.split()],
        input='{"id": "c-1", "text": "hello"}\n' if command == "produce" else "",
        env=environment_of(settings),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PROGRESS_SECONDS,
        check=False,
    )
    assert ended.returncode == 1
    assert "the broker refused the connection (_AUTHENTICATION" in ended.stderr
    assert WRONG not in ended.stderr


def worker(
    secured: SecuredKafka, properties: dict[str, str], topics: Topics, guarantee: str, servers: str | None = None
) -> WorkerProcess:
    """A worker that waits longer for a broker than the test waits for it, so that it only ends for the right reason."""
    settings = {
        **topics.settings,
        "kafka.properties": json.dumps(properties),
        "kafka.no_broker_seconds": 10 * PROGRESS_SECONDS,
        "delivery.guarantee": guarantee,
    }
    return WorkerProcess(servers or secured.cluster.secured_servers, settings)
