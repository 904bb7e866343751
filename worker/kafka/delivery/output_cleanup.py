"""Whether deletions go on to the output topic: by setting, or where that topic is compacted.

A compacted topic keeps the last record of each key for ever, so the label event of a comment that was deleted would
keep its text; a tombstone under its key removes it. In a topic that is not compacted a record without a value has no
meaning, and many readers do not expect one.
"""

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource

from worker.errors import Retryable
from worker.kafka.client.error_codes import REFUSED, describe, error_of
from worker.kafka.client.properties import client_properties, make_client
from worker.kafka.client.rights import Right, lacking
from worker.kafka.topic_needs import is_compacted
from worker.settings import Settings, Tombstones

if TYPE_CHECKING:
    from concurrent.futures import Future

log = logging.getLogger(__name__)

_REQUEST_SECONDS = 10.0
_NO_ANSWER = frozenset({KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN})

Ask = Callable[[], "Future[Mapping[str, Any]]"]
"""Requests the configuration of the output topic, entry by name; the answer comes later."""


class ForwardsDeletions:
    """Asks the broker at the first deletion, once; a stream without deletions costs nothing. For the poll thread.

    Args:
        settings: `output.tombstones` and the output topic are read.
        ask: Requests the topic's configuration; by default of the broker that the settings name.
    """

    def __init__(self, settings: Settings, ask: Ask | None = None) -> None:
        self._settings = settings
        self._topic = settings.output.topic
        mode = settings.output.tombstones
        self._known: bool | None = None if mode is Tombstones.AUTO else mode is Tombstones.FORWARD
        self._ask = ask or self._ask_broker
        self._admin: AdminClient | None = None
        self._answer: Future[Mapping[str, Any]] | None = None

    def __call__(self) -> bool:
        """True if a deletion is forwarded.

        Raises:
            Retryable: The broker has not answered yet; the deletion has to wait, and what comes after it.
        """
        if self._known is not None:
            return self._known
        if self._answer is None:
            self._answer = self._ask()
        if not self._answer.done():
            message = f"the cleanup.policy of {self._topic} is not known yet"
            raise Retryable(message)
        answer, self._answer = self._answer, None
        try:
            compacted = is_compacted({name: str(entry.value) for name, entry in answer.result().items()})
        except KafkaException as exception:
            return self._without_answer(error_of(exception))
        self._known = compacted
        if compacted:
            log.info("%s is compacted: deletions are forwarded to it (output.tombstones = auto)", self._topic)
        return compacted

    def _without_answer(self, error: KafkaError) -> bool:
        if error.code() in _NO_ANSWER or error.retriable():
            message = f"the cleanup.policy of {self._topic} is not known yet ({describe(error)})"
            raise Retryable(message)
        if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return False  # it holds no event yet; ask again at the next deletion
        why = lacking(Right("DescribeConfigs", "topic", self._topic)) if error.code() in REFUSED else describe(error)
        log.warning(
            "deletions are not forwarded to %s, since it can't be seen whether it is compacted (%s): "
            "set output.tombstones to forward or drop",
            *(self._topic, why),
        )
        self._known = False
        return False

    def _ask_broker(self) -> "Future[Mapping[str, Any]]":
        if self._admin is None:
            properties = client_properties(self._settings) | {"log_level": 0}
            self._admin = make_client(AdminClient, properties, error_cb=lambda _: None)
        resource = ConfigResource(ConfigResource.Type.TOPIC, self._topic)
        answers: dict[Any, Future[Mapping[str, Any]]] = self._admin.describe_configs(
            [resource], request_timeout=_REQUEST_SECONDS
        )
        return answers[resource]
