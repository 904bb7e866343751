"""Copy flagged label events to a topic of their own, with key and headers; offsets move behind acknowledgements."""

import argparse

from confluent_kafka import Consumer, Message, Producer

from sluice import LabelEvent


def copy(message: Message, producer: Producer, topic: str) -> None:
    """Send one event on, unless nothing in it is flagged; a tombstone always."""
    value = message.value()
    # Without a value it is the deletion of a comment, which concerns its copy, too.
    if value is None or LabelEvent.model_validate_json(value).flagged:
        producer.produce(topic, value, message.key(), headers=message.headers())


def main() -> None:
    """Copy until Ctrl-C, or until `--count` events were read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap-servers", default="localhost:9092")
    parser.add_argument("--from-topic", default="comment-labels")
    parser.add_argument("--to-topic", default="flagged-comments")
    parser.add_argument("--count", type=int, help="end after this many events were read")
    arguments = parser.parse_args()
    servers = {"bootstrap.servers": arguments.bootstrap_servers}
    consumer = Consumer(
        {**servers, "group.id": "flagged", "auto.offset.reset": "earliest", "enable.auto.commit": False}
    )
    producer = Producer({**servers, "enable.idempotence": True})
    consumer.subscribe([arguments.from_topic])
    read = 0
    try:
        while arguments.count is None or read < arguments.count:
            most = 100 if arguments.count is None else min(100, arguments.count - read)
            messages = consumer.consume(most, timeout=1.0)
            for message in messages:
                if message.error():
                    raise SystemExit(str(message.error()))
                copy(message, producer, arguments.to_topic)
            if messages:
                if unacknowledged := producer.flush(30.0):
                    raise SystemExit(f"{unacknowledged} events were not acknowledged within 30 s")
                consumer.commit(asynchronous=False)
                read += len(messages)
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()
    print(f"{read} events read")


if __name__ == "__main__":
    main()
