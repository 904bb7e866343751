"""`sluice page --demo`: an embedded broker, a worker with the embedded model, and sample comments without end.

The worker is a process of its own, as it is everywhere else: this one must not import torch. Now and then a
record comes that nobody can label, so that there are dead letters to look at.
"""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain, count, repeat
from types import TracebackType
from typing import Self

import structlog

from worker.comments.file_comment import FileComment
from worker.comments.reading import read_comments
from worker.comments.samples import SAMPLE_COMMENTS
from worker.errors import SluiceError
from worker.kafka.comment_sender import CommentSender
from worker.kafka.embedded.broker import EmbeddedBroker, embedded_properties
from worker.settings import Format, GroupProtocol, InputSettings, KafkaSettings, Settings, Start

PARTITIONS = 6
COMMENTS_PER_SECOND = 15.0
_BAD_EVERY = 40
_BAD_RECORDS = (
    b'{"id": "c-bad", "author": "a script", "text": 404}',
    b'{"id": "c-cut", "text": "the producer was cut o',
    b'{"id": "c-none", "body": "there is no text here"}',
)
_STOP_SECONDS = 35.0

log = structlog.stdlib.get_logger(__name__)


class Demonstration:
    """Runs while it is entered.

    Args:
        settings: The user's; the broker is the demonstration's own.

    Attributes:
        settings: Those for the page.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._stack = ExitStack()
        self._stop = threading.Event()

    def __enter__(self) -> Self:
        topic = (*self.settings.input.topics, "comments")[0]
        settings = self.settings.model_copy(update={"input": InputSettings(topic=topic, start=Start.EARLIEST)})
        topics = [topic, settings.output.topic, settings.dead_letters.topic]
        broker = self._stack.enter_context(EmbeddedBroker(dict.fromkeys(topics, PARTITIONS)))
        kafka = KafkaSettings(
            bootstrap_servers=broker.bootstrap_servers,
            group_id=settings.kafka.group_id,
            group_protocol=GroupProtocol.CONSUMER,  # assigns within a heartbeat
            properties=embedded_properties(GroupProtocol.CONSUMER),
        )
        port = _free_port()
        self.settings = settings.model_copy(
            update={
                "kafka": kafka,
                "output": settings.output.model_copy(update={"format": Format.JSON}),
                "page": settings.page.model_copy(update={"workers": (f"http://127.0.0.1:{port}",)}),
            }
        )
        self._stack.callback(_end, _worker(self.settings, port))
        sender = threading.Thread(target=self._send, name="samples", daemon=True)
        sender.start()
        self._stack.callback(sender.join, _STOP_SECONDS)
        self._stack.callback(self._stop.set)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _send(self) -> None:
        """Send the samples over and over at an even pace, until it is stopped."""
        sender = CommentSender(self.settings)
        try:
            bad = chain.from_iterable(repeat(_BAD_RECORDS))
            for number, comment in zip(count(1), _samples(), strict=False):
                if self._stop.wait(1 / COMMENTS_PER_SECOND):
                    return
                sender.send(comment)
                if number % _BAD_EVERY == 0:
                    sender.send_value(b"bad", next(bad))
                sender.serve(0)
        except SluiceError as error:
            log.warning("the demonstration's stream ended", cause=str(error))
        finally:
            sender.close()


def _samples() -> Iterator[FileComment]:
    return chain.from_iterable(read_comments(path) for path in repeat(SAMPLE_COMMENTS))


def _worker(settings: Settings, port: int) -> subprocess.Popen[bytes]:
    kafka = settings.kafka
    chosen = {
        "kafka.group_protocol": kafka.group_protocol.value,
        "kafka.properties": json.dumps(kafka.properties),
        "input.start": Start.EARLIEST.value,
        "input.format": Format.JSON.value,
        "output.format": Format.JSON.value,
        "http.host": "127.0.0.1",
        "http.port": str(port),
        "log.level": "warning",
    }
    command = [sys.executable, "-m", "worker", "run"]
    command += ["--bootstrap-servers", kafka.bootstrap_servers, "--group", kafka.group_id]
    command += ["--input-topic", settings.input.topic, "--output-topic", settings.output.topic]
    command += ["--dead-letter-topic", settings.dead_letters.topic]
    for name, value in chosen.items():
        command += ["--set", f"{name}={value}"]
    # In a group of its own: Ctrl-C is the page's, which then asks the worker to drain.
    return subprocess.Popen(  # noqa: S603 - our own module
        command, process_group=0, env=dict(os.environ), stdin=subprocess.DEVNULL
    )


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.terminate()
    try:
        worker.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
