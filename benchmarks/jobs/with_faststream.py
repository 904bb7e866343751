"""The job with FastStream, one comment at a time, acknowledged after its event."""

import asyncio
import sys
from typing import Any

from faststream import AckPolicy, FastStream
from faststream.confluent import KafkaBroker

from benchmarks.jobs import LABELS, SCORES


def main() -> None:
    """Run until killed."""
    servers, source, target, group = sys.argv[1:]
    broker = KafkaBroker(servers, logger=None)

    @broker.publisher(target)
    @broker.subscriber(source, group_id=group, auto_offset_reset="earliest", ack_policy=AckPolicy.ACK)
    async def label(comment: dict[str, Any]) -> dict[str, Any]:
        """The event of a comment."""
        return {"id": comment["id"], "comment": comment, "labels": LABELS, "scores": SCORES}

    asyncio.run(FastStream(broker, logger=None).run())


if __name__ == "__main__":
    main()
