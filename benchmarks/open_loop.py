"""Open-loop load: comments are sent at their scheduled times, no matter how far behind the worker is.

A sender that waits would send least when the worker is slowest, and so leave out exactly the latencies that matter
("coordinated omission"). For the same reason a comment's time is when it was due, not when it was sent.
"""

import json
import random
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from confluent_kafka import Producer

_LEAD_SECONDS = 0.2
_FLUSH_SECONDS = 60.0


class Due(NamedTuple):
    """A comment to send: seconds after the start, its number (the record's key), and its bytes."""

    after: float
    number: int
    value: bytes


class Sent(NamedTuple):
    """The comments that were sent.

    Attributes:
        due: When each comment was due, by its number; seconds since the epoch.
        late: How many seconds after its due time each was sent.
    """

    due: dict[int, float]
    late: list[float]


def comment(texts: Sequence[str], number: int) -> bytes:
    """The comment of this number; no two are equal, because the worker scores equal texts of a batch only once."""
    return json.dumps({"id": f"c-{number}", "text": f"{texts[number % len(texts)]} {number}"}).encode()


def poisson(rate: float, draw: random.Random) -> Iterator[float]:
    """Arrival times without end, independent of each other, `rate` a second on average."""
    after = 0.0
    while True:
        after += draw.expovariate(rate)
        yield after


def send(
    servers: str,
    topic: str,
    schedule: Iterable[Due],
    *,
    partitions: int | None = None,
    over: threading.Event | None = None,
) -> Sent:
    """Send each comment when it is due, until the schedule ends or `over` is set, and wait for all acknowledgements.

    Args:
        servers: Addresses of the brokers.
        topic: The topic to send to.
        schedule: The comments, in order of time.
        partitions: Send to this many partitions in turn; None: by the key.
        over: Set it to end early.
    """
    failures: list[Any] = []
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 0, "partitioner": "murmur2_random"})
    producer.list_topics(topic, timeout=_FLUSH_SECONDS)  # connect now, so that the first comment does not wait for it
    sent = Sent({}, [])
    epoch, begun = time.time() + _LEAD_SECONDS, time.monotonic() + _LEAD_SECONDS
    for after, number, value in schedule:
        if over is not None and over.is_set():
            break
        wait_seconds = begun + after - time.monotonic()
        if wait_seconds > 0:
            time.sleep(wait_seconds)
        sent.late.append(time.monotonic() - begun - after)
        sent.due[number] = epoch + after
        producer.produce(
            topic,
            value,
            key=str(number),
            partition=-1 if partitions is None else number % partitions,
            timestamp=int((epoch + after) * 1000),
            on_delivery=lambda error, _: failures.append(error) if error else None,
        )
        producer.poll(0)
    if producer.flush(_FLUSH_SECONDS) or failures:
        sys.exit("the broker did not acknowledge every comment" + (f": {failures[0]}" if failures else ""))
    return sent
