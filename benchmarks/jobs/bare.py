"""The bare loop: consume, parse, produce, flush, commit. It handles no errors and checks nothing."""

import json
import sys

from confluent_kafka import Consumer, Producer

from benchmarks.jobs import LABELS, SCORES

_AT_ONCE = 500


def main() -> None:
    """Run until killed."""
    servers, source, target, group = sys.argv[1:]
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    producer = Producer(
        {"bootstrap.servers": servers, "enable.idempotence": True, "linger.ms": 5, "compression.type": "lz4"}
    )
    consumer.subscribe([source])
    while True:
        messages = consumer.consume(_AT_ONCE, 1.0)
        for message in messages:
            comment = json.loads(message.value() or b"")
            event = {"id": comment["id"], "comment": comment, "labels": LABELS, "scores": SCORES}
            producer.produce(target, json.dumps(event).encode(), message.key())
        if messages:
            producer.flush()
            consumer.commit(asynchronous=False)


if __name__ == "__main__":
    main()
