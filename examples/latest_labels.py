"""Print the latest labels of each comment in the output topic: an edit replaces, a tombstone removes."""

import argparse
import uuid

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from sluice import LabelEvent


def latest(consumer: Consumer, topic: str) -> dict[bytes, LabelEvent]:
    """The last event of each key, as a compacted topic keeps it, up to the topic's present end."""
    partitions = [TopicPartition(topic, number) for number in consumer.list_topics(topic).topics[topic].partitions]
    waiting = {p.partition: end for p in partitions if (end := consumer.get_watermark_offsets(p)[1]) > 0}
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in waiting])
    found: dict[bytes, LabelEvent] = {}
    while waiting:
        for message in consumer.consume(500, timeout=1.0):
            if message.error():
                raise SystemExit(str(message.error()))
            key, value = message.key() or b"", message.value()
            if value is None:
                found.pop(key, None)
            else:
                found[key] = LabelEvent.model_validate_json(value)
        # Compaction leaves gaps, and a transaction's marker is no record: what counts is where the client stands.
        for place in consumer.position([TopicPartition(topic, number) for number in waiting]):
            if place.offset >= waiting[place.partition]:
                del waiting[place.partition]
    return found


def main() -> None:
    """Print a line for each comment that is still there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap-servers", default="localhost:9092")
    parser.add_argument("--topic", default="comment-labels")
    arguments = parser.parse_args()
    # A group's name is required of every consumer; none is joined and nothing is committed.
    settings = {"bootstrap.servers": arguments.bootstrap_servers, "group.id": str(uuid.uuid4())}
    consumer = Consumer({**settings, "enable.auto.commit": False, "isolation.level": "read_committed"})
    try:
        for key, event in sorted(latest(consumer, arguments.topic).items()):
            print(key.decode(), event.tier, ", ".join(event.labels) or "-")
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
