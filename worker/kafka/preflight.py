"""A look at the cluster before anything is sent to it: topics, their limits, and the rights of this principal.

A right that lacks would end the worker at its first bad record, and a topic that the broker creates by itself drops old
dead letters: both can be seen beforehand. `sluice run` does this beside its start, `sluice doctor` by hand.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer, TopicCollection
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource

from worker.findings import Finding, Severity
from worker.kafka.client.cluster_metadata import ConnectionErrors, list_topics
from worker.kafka.client.error_codes import REFUSED, describe, error_of
from worker.kafka.client.properties import client_properties, make_client, producer_properties
from worker.kafka.client.rights import Right, lacking, right_to_transactions, transactional_prefix
from worker.kafka.embedded.broker import CLUSTER_ID_PREFIX
from worker.kafka.group_needs import SESSION, long_session
from worker.kafka.topic_needs import room_for_outcomes, short_lived, too_small, without_keys
from worker.settings import GroupProtocol, Guarantee, Settings

_REQUEST_SECONDS = 10.0
_TOPIC, _GROUP, _BROKER = ConfigResource.Type.TOPIC, ConfigResource.Type.GROUP, ConfigResource.Type.BROKER


class Preflight:
    """Looks at what the settings name; changes nothing.

    Args:
        settings: The worker's settings.
        thorough: Also look at what a worker finds out by itself when it joins its group or makes its producer: the
            rights to the group and to transactions. For the latter only trying tells, which leaves the transactional
            id of the trial with the broker for a week.

    Raises:
        SettingsInvalid: A property is refused.
    """

    def __init__(self, settings: Settings, *, thorough: bool = False) -> None:
        self._settings = settings
        self._thorough = thorough
        self._errors = ConnectionErrors()
        properties = client_properties(settings) | {"log_level": 0}
        self._admin: AdminClient = make_client(AdminClient, properties, error_cb=self._errors.serve)

    def look(self) -> list[Finding]:
        """What was found, in the order of a record's way; empty on the embedded broker.

        Raises:
            NoBroker: None answered for `kafka.no_broker_seconds`.
            Fatal: The broker refuses this client.
        """
        settings = self._settings
        # A worker's consumer waits for a broker as well, and says so.
        cluster = list_topics(self._admin, settings, self._errors, announced=not self._thorough)
        if str(cluster.cluster_id).startswith(CLUSTER_ID_PREFIX):
            return []
        inputs = settings.input.topics or sorted(filter(settings.input.reads, cluster.topics))
        needs = (
            *((name, "Read") for name in inputs),
            (settings.output.topic, "Write"),
            (settings.dead_letters.topic, "Write"),
        )
        examples = settings.shadow.written_topics
        described = self._admin.describe_topics(
            TopicCollection([name for name, _ in needs] + [*examples]),
            include_authorized_operations=True,
            request_timeout=_REQUEST_SECONDS,
        )
        findings = []
        there = []
        for name, operation in needs:
            found = _answer(described[name].result)
            if isinstance(found, KafkaError) and found.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                findings.append(_missing(name, input_topic=name in inputs))
                continue
            findings += _right(Right(operation, "topic", name), found)
            there += [] if isinstance(found, KafkaError) else [name]
        for name in examples:
            findings += findings_of_examples(name, _answer(described[name].result))
        if self._thorough:
            findings += self._group()
            findings += self._transactional_id()
        findings += self._limits(there)
        if settings.kafka.group_protocol is GroupProtocol.CONSUMER:
            findings += self._session(next(iter(cluster.brokers), 0))
        return findings

    def _group(self) -> Iterator[Finding]:
        group = self._settings.kafka.group_id
        asked = self._admin.describe_consumer_groups(
            [group], include_authorized_operations=True, request_timeout=_REQUEST_SECONDS
        )
        found = _answer(asked[group].result)
        if isinstance(found, KafkaError) and found.code() not in REFUSED:
            return  # a group that nobody has joined yet has no description
        yield from _right(Right("Read", "group", group), found)

    def _transactional_id(self) -> Iterator[Finding]:
        settings = self._settings
        if settings.delivery.guarantee is not Guarantee.EXACTLY_ONCE:
            return
        properties = producer_properties(settings, f"{transactional_prefix(settings)}doctor") | {"log_level": 0}
        producer: Producer = make_client(Producer, properties, error_cb=lambda _: None)
        found = _answer(lambda: producer.init_transactions(_REQUEST_SECONDS))
        if not isinstance(found, KafkaError):
            text = f"transactional ids that begin with {transactional_prefix(settings)} are accepted"
            yield Finding(Severity.OK, text)
        elif found.code() in REFUSED:
            yield Finding(Severity.ERROR, lacking(right_to_transactions(found, settings)))
        else:
            yield Finding(Severity.WARNING, f"a transactional producer can't be initialized: {describe(found)}")

    def _limits(self, topics: list[str]) -> Iterator[Finding]:
        settings = self._settings
        configs = {}
        for name in topics:
            found = self._config(_TOPIC, name)
            if isinstance(found, KafkaError):
                yield _unseen(f"the limits of topic {name}", Right("DescribeConfigs", "topic", name), found)
            else:
                configs[name] = found
        inputs = [config for name, config in configs.items() if settings.input.reads(name)]
        needed = room_for_outcomes(*inputs) if inputs else {}
        for name, more in ((settings.output.topic, without_keys), (settings.dead_letters.topic, short_lived)):
            if name in configs:
                differences = [*too_small(name, configs[name], needed), *more(name, configs[name])]
                yield from (Finding(Severity.WARNING, text) for text in differences)
                if not differences:
                    yield Finding(Severity.OK, f"the limits of topic {name} are as needed")

    def _session(self, broker: int) -> Iterator[Finding]:
        group = self._settings.kafka.group_id
        found = self._config(_GROUP, group)
        if isinstance(found, KafkaError):
            yield _unseen(f"the session timeout of group {group}", Right("DescribeConfigs", "group", group), found)
            return
        limits = self._config(_BROKER, str(broker))
        differences = list(long_session(group, found, {} if isinstance(limits, KafkaError) else limits))
        yield from (Finding(Severity.WARNING, text) for text in differences)
        if not differences:
            yield Finding(Severity.OK, f"group {group} gives up a worker that died after {found.get(SESSION)} ms")

    def _config(self, kind: Any, name: str) -> Mapping[str, str] | KafkaError:
        resource = ConfigResource(kind, name)
        answers: dict[Any, Any] = self._admin.describe_configs([resource], request_timeout=_REQUEST_SECONDS)
        found = _answer(answers[resource].result)
        return found if isinstance(found, KafkaError) else {name: str(entry.value) for name, entry in found.items()}


def _answer(call: Callable[[], Any]) -> Any:
    """What a call gave, or the error it failed with."""
    try:
        return call()
    except KafkaException as error:
        return error_of(error)


def _right(right: Right, found: Any) -> Iterator[Finding]:
    """Whether the broker says that this principal has a right."""
    if isinstance(found, KafkaError):
        certain = found.code() in REFUSED
        text = lacking(right) if certain else f"{right.kind} {right.name} can't be described: {describe(found)}"
        yield Finding(Severity.ERROR if certain else Severity.WARNING, text)
        return
    allowed = {operation.name for operation in found.authorized_operations or ()}
    if allowed and right.operation.upper() not in allowed:
        yield Finding(Severity.ERROR, lacking(right))
    else:
        yield Finding(Severity.OK, f"{right.kind} {right.name} is there, with the right to {right.operation.lower()}")


def _unseen(what: str, right: Right, error: KafkaError) -> Finding:
    why = lacking(right) if error.code() in REFUSED else describe(error)
    return Finding(Severity.WARNING, f"{what} can't be looked at: {why}")


def findings_of_examples(name: str, found: Any) -> Iterator[Finding]:
    """Whether a shadow's examples can be written. Never an error: the worker does its work without them.

    Args:
        name: The topic of the examples.
        found: Its description, or the error that the broker answered with.
    """
    if isinstance(found, KafkaError) and found.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        lost = f"topic {name} does not exist: the shadow's examples are lost unless brokers create topics by themselves"
        yield Finding(Severity.WARNING, f"{lost}; `sluice topics` creates it")
        return
    for finding in _right(Right("Write", "topic", name), found):
        if finding.severity is Severity.OK:
            yield finding
        else:
            yield Finding(Severity.WARNING, f"the shadow's examples are lost: {finding.text}")


def _missing(name: str, *, input_topic: bool) -> Finding:
    if input_topic:
        return Finding(
            Severity.WARNING, f"topic {name} does not exist: the worker waits for it; `sluice topics` creates it"
        )
    return Finding(
        Severity.WARNING,
        f"topic {name} does not exist. A broker that creates topics by itself gives it its default limits: a retention "
        "by timestamp, which takes old dead letters at once, and too little room for long comments. Any other refuses "
        "what is written to it. `sluice topics` creates it as it is needed",
    )
