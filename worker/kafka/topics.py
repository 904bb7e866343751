"""Creates the topics if they are missing, and reports how they differ from what the worker needs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.cimpl import NewTopic

from worker.errors import Fatal, NoBroker, Retryable, SettingsInvalid
from worker.kafka.client.cluster_metadata import ConnectionErrors, list_topics
from worker.kafka.client.error_codes import REFUSED, describe, error_of, refused
from worker.kafka.client.properties import client_properties, make_client
from worker.kafka.client.retry import Backoff, Sleep, Uniform, retry
from worker.kafka.client.rights import Right
from worker.kafka.embedded.broker import CLUSTER_ID_PREFIX
from worker.kafka.topic_needs import kept, room_for_outcomes, short_lived, too_small, without_keys
from worker.protocols import Clock
from worker.settings import Settings

T = TypeVar("T")

_BROKER_DEFAULT = -1
_PROPAGATION_SECONDS = 30.0
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0
_UNREACHABLE = frozenset({KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT})


@dataclass(frozen=True, slots=True)
class TopicReport:
    """What was found or done for one topic.

    Attributes:
        name: The topic's name.
        created: Whether it was missing and has been created (or would be, when only checking).
        partitions: How many partitions it has.
        differences: How it differs from what is needed, each with what to do; empty if it does not differ.
    """

    name: str
    created: bool
    partitions: int
    differences: tuple[str, ...] = ()


class Topics:
    """The topics of one configuration on its cluster.

    Args:
        settings: Name the topics and the cluster.
        clock: Returns monotonic seconds.
        sleep: Waits before checking again for a topic that brokers do not know yet.
        uniform: Draws the lengths of those waits.

    Raises:
        SettingsInvalid: A property is rejected.
    """

    def __init__(self, settings: Settings, *, clock: Clock, sleep: Sleep, uniform: Uniform) -> None:
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._backoff = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, uniform)
        self._limit_seconds = settings.kafka.no_broker_seconds
        self._errors = ConnectionErrors()
        self._admin: AdminClient = make_client(AdminClient, client_properties(settings), error_cb=self._errors.serve)

    def ensure(self, *, partitions: int, replication: int | None = None, create: bool = True) -> list[TopicReport]:
        """Create missing topics and check existing ones: input, output, dead letters, and a shadow's examples.

        Of input topics that a pattern names, those that exist are checked.

        Args:
            partitions: Number of partitions for new topics; workers beyond this number would be idle.
            replication: Replicas of each partition; None means the brokers' default.
            create: Whether to create missing topics; False only checks.

        Raises:
            NoBroker: No broker responded in time.
            SettingsInvalid: The broker is the embedded one, or can't create such topics.
            Fatal: The broker refused the request.
        """
        settings = self._settings
        existing = self._existing()
        replicas = replication or _BROKER_DEFAULT
        reports = []
        config: Mapping[str, str] = {}
        needed: dict[str, str] = {}
        input_configs: list[Mapping[str, str]] = []
        inputs = settings.input.topics or sorted(filter(settings.input.reads, existing))
        for name in (*inputs, settings.output.topic, settings.dead_letters.topic):
            of_dead_letters = name == settings.dead_letters.topic
            created = name not in existing
            needed_here = {} if name in inputs else needed
            if created and create:
                config = needed | kept(config) if of_dead_letters else needed_here
                self._create(NewTopic(name, partitions, replicas, config=config))
            config = self._config(name) if create or not created else {}
            report = TopicReport(name, created, partitions if created else existing[name])
            differences = [*_differences(report, partitions), *too_small(name, config, needed_here)]
            if of_dead_letters:
                differences += short_lived(name, config)
            elif name == settings.output.topic:
                differences += without_keys(name, config)
            reports.append(replace(report, differences=tuple(differences)))
            if name in inputs and config:
                input_configs.append(config)
                needed = room_for_outcomes(*input_configs)
        # Examples are small and in no order, so any topic will do for them.
        for name in settings.shadow.written_topics:
            created = name not in existing
            if created and create:
                self._create(NewTopic(name, partitions, replicas))
            reports.append(TopicReport(name, created, existing.get(name, partitions)))
        return reports

    def _existing(self) -> dict[str, int]:
        metadata = list_topics(self._admin, self._settings, self._errors)
        if str(metadata.cluster_id).startswith(CLUSTER_ID_PREFIX):
            message = "the embedded broker creates its own topics; `sluice topics` is for a separate Kafka cluster"
            raise SettingsInvalid(message)
        return {name: len(topic.partitions) for name, topic in metadata.topics.items() if topic.error is None}

    def _create(self, topic: NewTopic) -> None:
        futures = self._admin.create_topics(
            [topic], operation_timeout=self._limit_seconds, request_timeout=self._limit_seconds
        )
        try:
            right = Right("Create", "topic", topic.topic)
            self._ask(futures[topic.topic].result, f"to create topic {topic.topic}", right)
        except KafkaException as exception:
            error = error_of(exception)
            if error.code() == KafkaError.TOPIC_ALREADY_EXISTS:
                return  # another process created it since the check
            message = f"{topic.topic} could not be created: {describe(error)}"
            if error.code() in (KafkaError.INVALID_REPLICATION_FACTOR, KafkaError.INVALID_PARTITIONS):
                raise SettingsInvalid(message) from None
            raise Fatal(message) from None

    def _config(self, topic: str) -> Mapping[str, str]:
        """Return the topic's configuration.

        The controller creates a topic, and the broker that is queried learns of it a little later: until then it
        reports the topic as unknown, which is not an error.
        """
        try:
            return retry(
                lambda: self._describe(topic),
                limit_seconds=_PROPAGATION_SECONDS,
                backoff=self._backoff,
                clock=self._clock,
                sleep=self._sleep,
            )
        except (KafkaException, Retryable) as error:
            reason = describe(error_of(error)) if isinstance(error, KafkaException) else str(error)
            message = f"the configuration of {topic} can't be read: {reason}"
            raise Fatal(message) from None

    def _describe(self, topic: str) -> Mapping[str, str]:
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        described: dict[Any, Any] = self._admin.describe_configs([resource], request_timeout=self._limit_seconds)
        try:
            right = Right("DescribeConfigs", "topic", topic)
            found = self._ask(described[resource].result, f"to describe the configuration of topic {topic}", right)
            return {name: str(entry.value) for name, entry in found.items()}
        except KafkaException as exception:
            error = error_of(exception)
            if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise Retryable(describe(error)) from None
            raise

    def _ask(self, call: Callable[[], T], to_do: str, right: Right) -> T:
        try:
            return call()
        except KafkaException as exception:
            error = error_of(exception)
            if error.code() in REFUSED:
                raise refused(error, to_do, right) from None
            if error.code() in _UNREACHABLE:
                message = (
                    f"no broker of {self._settings.kafka.bootstrap_servers} answered within {self._limit_seconds:g} s "
                    f"({describe(error)})"
                )
                raise NoBroker(message) from None
            raise


def _differences(report: TopicReport, asked: int) -> Iterator[str]:
    """Yield a message if a topic does not have the requested number of partitions."""
    name, found = report.name, report.partitions
    if found != asked:
        yield (
            f"{name} has {found} partitions, not {asked}. More can be added (kafka-topics --alter), but then keys move "
            "between partitions"
        )
