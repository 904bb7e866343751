"""The job with FastStream in batches, acknowledged after their events."""

import asyncio
import sys
from typing import Any

from faststream import AckPolicy, FastStream
from faststream.confluent import KafkaBroker

from benchmarks.jobs import LABELS, SCORES

_AT_ONCE = 500


def main() -> None:
    """Run until killed."""
    servers, source, target, group = sys.argv[1:]
    broker = KafkaBroker(servers, logger=None)

    @broker.publisher(target, batch=True)
    @broker.subscriber(
        source,
        group_id=group,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.ACK,
        batch=True,
        max_records=_AT_ONCE,
    )
    async def label(comments: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
        """The events of some comments."""
        return tuple(
            {"id": comment["id"], "comment": comment, "labels": LABELS, "scores": SCORES} for comment in comments
        )

    asyncio.run(FastStream(broker, logger=None).run())


if __name__ == "__main__":
    main()
