"""Runs the demo: comments go into an embedded broker, the real worker labels them, and the labels come out.

There are three threads. The main thread sends the comments, so that a signal interrupts even a wait for standard input;
the second runs the worker; the third follows the outcomes.
"""

import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from worker.comments.file_comment import FileComment
from worker.demo.display import Display
from worker.demo.tally import Tally
from worker.kafka.comment_sender import CommentSender
from worker.kafka.embedded.broker import EmbeddedBroker, embedded_properties
from worker.kafka.outcome_reader import OutcomeReader
from worker.protocols import Classifier
from worker.run import run
from worker.settings import DeliverySettings, Format, GroupProtocol, HttpSettings, KafkaSettings, Settings, Start

PARTITIONS = 6
"""Partitions of each topic: the broker keeps 5 MiB a partition and serves one batch of each at a time."""

MAX_OUTSTANDING = 1000
"""Comments sent but without an outcome yet: with more, the broker might drop some before they are read."""

BAD_RECORD = b'{"id": "c-bad", "author": "a script", "text": 404}'
"""A record that no worker can label: it shows what becomes of one."""

_LOOK_SECONDS = 0.05


class _Ended(Exception):
    """A signal arrived or a thread failed: stop sending."""


class Demonstration:
    """One run of the demo.

    Args:
        settings: The user's settings for topics, batches and drain; the broker is the demo's own.
        classifier: Labels the comments.
        display: Shows the outcomes.
        tally: Counts the outcomes.
    """

    def __init__(self, settings: Settings, classifier: Classifier[Any], display: Display, tally: Tally) -> None:
        self._settings = settings
        self._classifier = classifier
        self._display = display
        self._tally = tally
        self._error: BaseException | None = None
        self._sending = False
        self._over = threading.Event()
        self._stop_worker = threading.Event()

    def run(self, comments: Iterable[FileComment], bad_records: Sequence[bytes] = ()) -> None:
        """Send all the comments and wait for each outcome; SIGINT or SIGTERM ends it early, after the worker's drain.

        The bad records go first. Must be called in the main thread, which is where signals arrive.

        Raises:
            SluiceError: The input, the worker or the broker failed.
        """
        topics = [*self._settings.input.topics, self._settings.output.topic, self._settings.dead_letters.topic]
        with EmbeddedBroker(dict.fromkeys(topics, PARTITIONS)) as broker, self._signals():
            settings = settings_for(broker.bootstrap_servers, self._settings)
            reader = OutcomeReader(settings, dead_letters=True, from_start=True)
            worker = threading.Thread(target=self._work, args=(settings,), name="worker")
            follower = threading.Thread(target=self._follow, args=(reader, broker), name="follower")
            sender = CommentSender(settings)
            worker.start()
            follower.start()
            try:
                self._send(sender, comments, bad_records)
            except _Ended:
                pass
            finally:
                # The worker ends first, so that what it publishes while it drains is still shown.
                self._stop_worker.set()
                worker.join()
                self._over.set()
                follower.join()
                sender.close()
                reader.close()
        if self._error is not None:
            raise self._error

    def _send(self, sender: CommentSender, comments: Iterable[FileComment], bad_records: Sequence[bytes]) -> None:
        """Send while there is room, then wait for the outcomes."""
        self._sending = True
        try:
            self._stop_if_asked()  # a signal may have arrived just before it could interrupt the sending
            self._tally.start()
            for value in bad_records:
                sender.send_value(b"bad", value)
            for comment in comments:
                while sender.sent - sender.passed_over - self._tally.outcomes >= MAX_OUTSTANDING:
                    sender.serve(_LOOK_SECONDS)
                sender.send(comment)
            while self._tally.outcomes < sender.sent - sender.passed_over:
                sender.serve(_LOOK_SECONDS)
        finally:
            self._sending = False

    def _stop_if_asked(self) -> None:
        if self._stop_worker.is_set():
            raise _Ended

    def _work(self, settings: Settings) -> None:
        try:
            run(settings, classifier=self._classifier, stop=self._stop_worker, report=lambda _: None)
        except BaseException as error:
            self._fail(error)

    def _follow(self, reader: OutcomeReader, broker: EmbeddedBroker) -> None:
        try:
            while True:
                over = self._over.is_set()  # checked before reading: the last read must come after the worker's end
                found = [outcome for outcome in reader.read(_LOOK_SECONDS) if self._tally.add(outcome)]
                for outcome in found:
                    self._display.show(outcome)
                self._display.refresh(self._tally)
                if over:
                    return
                broker.check()
        except BaseException as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """Keep the first error and interrupt the main thread's sending, even a read of standard input."""
        if self._error is None:
            self._error = error
        main = threading.main_thread().ident
        if main is not None:
            # Not SIGINT: that would count as the user's second Ctrl-C, which ends the process at once.
            signal.pthread_kill(main, signal.SIGUSR1)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGINT, SIGTERM and `_fail` end the sending; a second signal from outside has its default effect."""

        def end_sending(number: int, _: FrameType | None) -> None:
            if number != signal.SIGUSR1:
                signal.signal(number, before[number])
            self._stop_worker.set()
            if self._sending:
                raise _Ended

        before: dict[int, Any] = {}
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            before[name] = signal.signal(name, end_sending)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def settings_for(bootstrap_servers: str, settings: Settings) -> Settings:
    """The settings with the embedded broker instead of the user's, and the guarantee that it supports."""
    return settings.model_copy(
        update={
            "kafka": KafkaSettings(
                bootstrap_servers=bootstrap_servers,
                group_protocol=GroupProtocol.CONSUMER,  # assigns within a heartbeat; classic takes a session timeout
                properties=embedded_properties(GroupProtocol.CONSUMER),
            ),
            "input": settings.input.model_copy(update={"start": Start.EARLIEST, "format": Format.JSON}),
            "output": settings.output.model_copy(update={"format": Format.JSON}),
            "delivery": DeliverySettings(drain_seconds=settings.delivery.drain_seconds),
            "http": HttpSettings(port=0),
        }
    )
