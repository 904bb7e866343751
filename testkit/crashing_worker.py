"""A `keyword_worker` that kills itself at a named point of its work, as if the machine were lost.

Run `python -m testkit.crashing_worker` with settings in the environment, and with `CRASH_AT` (a key of POINTS) and
`CRASH_AFTER` (how often the point is passed before). The points wrap the worker's own methods from here: the worker has
no hooks for them.
"""

import os
import signal
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

from testkit import keyword_worker
from worker.__main__ import end_process
from worker.events.dead_letter import DeadLetterEncoder
from worker.kafka.consumer.source import KafkaSource
from worker.kafka.delivery.at_least_once import AtLeastOncePublisher
from worker.kafka.delivery.exactly_once import ExactlyOncePublisher
from worker.kafka.delivery.transactional_producer import TransactionalProducer
from worker.stream.loop import Worker


class Point(NamedTuple):
    """A place before or after a method's own work.

    Attributes:
        owner: Class of the method.
        method: Name of the method.
        after: True when the worker dies after the work, False before.
        ready: Whether this call counts; receives the object and the arguments of the call.
    """

    owner: type[Any]
    method: str
    after: bool = False
    ready: Callable[..., bool] = lambda *_: True


def _has_offsets(_: KafkaSource, offsets: dict[Any, int], **__: Any) -> bool:
    return bool(offsets)


def _delivered(producer: TransactionalProducer, *_: Any) -> bool:
    """Whether all produced records are on the broker: a crash that left them in this process would test less."""
    return producer.undelivered == 0


def _not_asked_yet(producer: TransactionalProducer, *_: Any) -> bool:
    """Whether the call is a new one: a resumed one may have reached the coordinator already."""
    return producer._background is None and _delivered(producer)


AT_LEAST_ONCE_POINTS = {
    "before-publish": Point(AtLeastOncePublisher, "publish"),
    "after-publish": Point(AtLeastOncePublisher, "publish", after=True),
    "between-acknowledgement-and-commit": Point(KafkaSource, "commit", ready=_has_offsets),
    "after-commit-was-sent": Point(KafkaSource, "commit", after=True, ready=_has_offsets),
    "in-dead-lettering": Point(DeadLetterEncoder, "encode", after=True),
}
EXACTLY_ONCE_POINTS = {
    "before-publish": Point(ExactlyOncePublisher, "publish"),
    "transaction-begun": Point(TransactionalProducer, "begin", after=True),
    "records-sent-offsets-not": Point(TransactionalProducer, "send_offsets", ready=_not_asked_yet),
    "offsets-sent-transaction-open": Point(TransactionalProducer, "send_offsets", after=True, ready=_delivered),
    "transaction-committed-unanswered": Point(TransactionalProducer, "commit", after=True),
    "in-dead-lettering": Point(DeadLetterEncoder, "encode", after=True),
}
REVOKE_POINTS = {
    "revoke-begun": Point(Worker, "on_revoked"),
    "revoke-drained": Point(Worker, "on_revoked", after=True),
}
POINTS = {
    **{f"at-least-once/{name}": point for name, point in (AT_LEAST_ONCE_POINTS | REVOKE_POINTS).items()},
    **{f"exactly-once/{name}": point for name, point in (EXACTLY_ONCE_POINTS | REVOKE_POINTS).items()},
}


def arm(point: Point, passings: int) -> None:
    """Wrap the point's method with the crash."""
    original = getattr(point.owner, point.method)
    passed = count(1)

    def crash() -> None:
        if next(passed) > passings:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self: Any, *arguments: Any, **named: Any) -> Any:
        if point.ready(self, *arguments, **named):
            crash()
        return original(self, *arguments, **named)

    def after(self: Any, *arguments: Any, **named: Any) -> Any:
        counts = point.ready(self, *arguments, **named)
        result = original(self, *arguments, **named)
        if counts:
            crash()
        return result

    setattr(point.owner, point.method, after if point.after else before)


if __name__ == "__main__":
    arm(POINTS[os.environ["CRASH_AT"]], int(os.environ["CRASH_AFTER"]))
    end_process(keyword_worker.main())
