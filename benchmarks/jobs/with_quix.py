"""The job with Quix Streams, as its quickstart builds one: a dataframe from topic to topic."""

import sys
from collections.abc import Callable
from typing import Any

from quixstreams import Application
from quixstreams.dataframe import StreamingDataFrame

from benchmarks.jobs import LABELS, SCORES


def label(comment: dict[str, Any]) -> dict[str, Any]:
    """The event of a comment."""
    return {"id": comment["id"], "comment": comment, "labels": LABELS, "scores": SCORES}


def run(labelled: Callable[[StreamingDataFrame], StreamingDataFrame]) -> None:
    """Run until killed.

    Args:
        labelled: From the stream of comments to the stream of their events.
    """
    servers, source, target, group = sys.argv[1:]
    application = Application(
        broker_address=servers,
        consumer_group=group,
        auto_offset_reset="earliest",
        loglevel="WARNING",
        producer_extra_config={"linger.ms": 5, "compression.type": "lz4"},
    )
    comments = application.dataframe(application.topic(source, value_deserializer="json"))
    labelled(comments).to_topic(application.topic(target, value_serializer="json"))
    application.run()


if __name__ == "__main__":
    run(lambda comments: comments.apply(label))
