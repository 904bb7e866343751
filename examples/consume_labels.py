"""Read label events and act on each once: repeats have the same event id, and ids that were seen are passed over."""

import argparse
from collections import OrderedDict
from collections.abc import Iterator

from confluent_kafka import Consumer

from sluice import LabelEvent


class Seen:
    """The latest ids. A repeat comes soon after its original, when a worker's partitions are taken over."""

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._ids: OrderedDict[str, None] = OrderedDict()

    def add(self, event_id: str) -> bool:
        """Remember an id; True when it is new."""
        if event_id in self._ids:
            return False
        self._ids[event_id] = None
        if len(self._ids) > self._most:
            self._ids.popitem(last=False)
        return True


def events(consumer: Consumer, seen: Seen) -> Iterator[LabelEvent]:
    """Each label event once, for ever; an offset is stored only after the caller came back for the next event."""
    while True:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            raise SystemExit(str(message.error()))
        value = message.value()  # none in the tombstone of a comment that was deleted
        if value is not None and seen.add((event := LabelEvent.model_validate_json(value)).id):
            yield event
        consumer.store_offsets(message)


def main() -> None:
    """Print a line for each event."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap-servers", default="localhost:9092")
    parser.add_argument("--topic", default="comment-labels")
    parser.add_argument("--group", default="label-reader")
    parser.add_argument("--count", type=int, help="end after this many events")
    arguments = parser.parse_args()
    consumer = Consumer(
        {
            "bootstrap.servers": arguments.bootstrap_servers,
            "group.id": arguments.group,
            "auto.offset.reset": "earliest",
            # Offsets are stored by hand, after the event was dealt with, and committed in the background.
            "enable.auto.offset.store": False,
            # librdkafka's default, written down because exactly-once rests on it.
            "isolation.level": "read_committed",
        }
    )
    consumer.subscribe([arguments.topic])
    try:
        for number, event in enumerate(events(consumer, Seen()), start=1):
            print(event.id, event.comment["id"], ", ".join(event.labels) or "-", flush=True)
            if number == arguments.count:
                break
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
