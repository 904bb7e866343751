"""How a consumer leaves its group."""

import threading

import structlog
from confluent_kafka import Consumer, KafkaException

log = structlog.stdlib.get_logger(__name__)

_BROKEN_CLOSE_SECONDS = 2.0


def leave(consumer: Consumer, *, is_broken: bool = False) -> None:
    """Close the consumer; never raises.

    Args:
        consumer: Left behind: nothing may be asked of it afterwards.
        is_broken: Whether it has reported a fatal error. librdkafka waits forever when such a consumer is closed while
            it holds partitions. That must not delay the worker's exit, which closes the connections.
    """
    if not is_broken:
        _close(consumer)
        return
    leaving = threading.Thread(target=_close, args=(consumer,), name="consumer-close", daemon=True)
    leaving.start()
    leaving.join(_BROKEN_CLOSE_SECONDS)


def _close(consumer: Consumer) -> None:
    try:
        consumer.close()
    except (KafkaException, RuntimeError) as error:
        log.warning("the consumer did not close cleanly", cause=str(error))
