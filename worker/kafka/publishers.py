"""Which publisher a guarantee asks for."""

from worker.kafka.at_least_once import AtLeastOncePublisher
from worker.kafka.source import KafkaSource
from worker.protocols import Clock, Encode, Publisher
from worker.settings import Settings


def make_publisher(settings: Settings, source: KafkaSource, encode: Encode, *, clock: Clock) -> Publisher:
    """The publisher of `delivery.guarantee`.

    Raises:
        SettingsInvalid: A property is refused, or the broker cannot give the guarantee.
    """
    return AtLeastOncePublisher(settings, source, encode, clock=clock)
