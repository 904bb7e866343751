"""Makes the publisher for a delivery guarantee."""

import uuid

from worker.kafka.client.retry import Sleep, Uniform
from worker.kafka.client.rights import transactional_prefix
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
        # Unique in each process, or two would fence each other for ever: during a rolling update two have the same
        # name. A transaction that a crashed worker left open ends by delivery.transaction_timeout_seconds instead.
        transactional_id=f"{transactional_prefix(settings)}{uuid.uuid4()}",
        clock=clock,
        sleep=sleep,
        uniform=uniform,
    )
