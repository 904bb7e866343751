"""Which publisher a guarantee asks for."""

import uuid

from worker.kafka.client.retry import Sleep, Uniform
from worker.kafka.consumer.source import KafkaSource
from worker.kafka.delivery.at_least_once import AtLeastOncePublisher
from worker.kafka.delivery.exactly_once import ExactlyOncePublisher
from worker.protocols import Clock, Encode, Publisher, RejectionLimit
from worker.settings import Guarantee, Settings


def make_publisher(
    settings: Settings,
    source: KafkaSource,
    encode: Encode,
    limit: RejectionLimit,
    *,
    clock: Clock,
    sleep: Sleep,
    uniform: Uniform,
) -> Publisher:
    """The publisher of `delivery.guarantee`.

    Raises:
        SettingsInvalid: A property is refused, or the broker cannot give the guarantee.
        NoBroker: Exactly-once, and no broker initialized the producer within `kafka.no_broker_seconds`.
    """
    if settings.delivery.guarantee is Guarantee.AT_LEAST_ONCE:
        return AtLeastOncePublisher(settings, source, encode, limit)
    return ExactlyOncePublisher(
        settings,
        source,
        encode,
        limit,
        # Never the same in two processes, or they would fence each other for ever: a rolling update has two with the
        # same name. What a crashed worker left open is ended by delivery.transaction_timeout_seconds instead.
        transactional_id=f"{settings.kafka.client_id}-{settings.kafka.group_id}-{uuid.uuid4()}",
        clock=clock,
        sleep=sleep,
        uniform=uniform,
    )
