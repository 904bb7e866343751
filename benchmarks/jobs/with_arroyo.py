"""The job with arroyo, as its "Getting started" builds one: RunTask, Produce, CommitOffsets."""

import json
import sys
from collections.abc import Mapping

from arroyo.backends.kafka import KafkaConsumer, KafkaPayload, KafkaProducer
from arroyo.backends.kafka.configuration import build_kafka_configuration, build_kafka_consumer_configuration
from arroyo.commit import ONCE_PER_SECOND
from arroyo.processing import StreamProcessor
from arroyo.processing.strategies import CommitOffsets, ProcessingStrategy, ProcessingStrategyFactory
from arroyo.processing.strategies.produce import Produce
from arroyo.processing.strategies.run_task import RunTask
from arroyo.types import Commit, Message, Partition, Topic

from benchmarks.jobs import LABELS, SCORES


def label(message: Message[KafkaPayload]) -> KafkaPayload:
    """The event of a comment."""
    comment = json.loads(message.payload.value)
    event = {"id": comment["id"], "comment": comment, "labels": LABELS, "scores": SCORES}
    return KafkaPayload(message.payload.key, json.dumps(event).encode(), [])


class Labelling(ProcessingStrategyFactory[KafkaPayload]):
    """Label, produce, commit."""

    def __init__(self, producer: KafkaProducer, target: str) -> None:
        self._producer = producer
        self._target = Topic(target)

    def create_with_partitions(
        self,
        commit: Commit,
        partitions: Mapping[Partition, int],  # noqa: ARG002 - the library's interface
    ) -> ProcessingStrategy[KafkaPayload]:
        """The chain of steps."""
        return RunTask(label, Produce(self._producer, self._target, CommitOffsets(commit)))


def main() -> None:
    """Run until killed."""
    servers, source, target, group = sys.argv[1:]
    consumer = KafkaConsumer(
        build_kafka_consumer_configuration(
            default_config={},
            bootstrap_servers=[servers],
            auto_offset_reset="earliest",
            group_id=group,
        )
    )
    producer = KafkaProducer(
        build_kafka_configuration(
            default_config={"linger.ms": 5, "compression.type": "lz4"}, bootstrap_servers=[servers]
        )
    )
    StreamProcessor(
        consumer=consumer,
        topic=Topic(source),
        processor_factory=Labelling(producer, target),
        commit_policy=ONCE_PER_SECOND,
    ).run()


if __name__ == "__main__":
    main()
