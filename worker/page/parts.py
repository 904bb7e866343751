"""The parts of a running page, made from the settings and started together."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import structlog

from worker.errors import SettingsInvalid
from worker.formats.label_events import event_reader
from worker.page.cluster import Cluster
from worker.page.event_detail import EventDetail
from worker.page.follower import Follower
from worker.page.health import HealthChain
from worker.page.kept_event import EventKeeper
from worker.page.labelled import LabelledStream
from worker.page.letter_groups import LetterGroups
from worker.page.lines import Lines
from worker.page.past import read_past
from worker.page.replays import Replays
from worker.page.sample import RECENT, Sample
from worker.page.scores import newest_scoring
from worker.page.shadow_examples import ShadowExamples
from worker.page.tail import Read, Tail
from worker.page.workers import Workers
from worker.settings import Settings
from worker.types import Record

_NO_BROKER_SECONDS = 5.0

log = structlog.stdlib.get_logger(__name__)


@dataclass(slots=True)
class Parts:
    """What the answers are made from.

    Attributes:
        output: Follows the output topic.
        dead_letters: Follows the dead letters.
        labelled: Labelled comments that came through the stream; None where the settings name no file.
        examples: Comments on which a candidate and the model disagree.
        examples_follower: Follows their topic; None where the settings name none.
    """

    settings: Settings
    sample: Sample
    cluster: Cluster
    workers: Workers
    letters: LetterGroups
    lines: Lines
    replays: Replays
    detail: EventDetail
    health: HealthChain
    output: Follower
    dead_letters: Follower
    labelled: LabelledStream | None
    examples: ShadowExamples
    examples_follower: Follower | None

    def start(self) -> None:
        """Begin to follow and to ask."""
        for part in (self.cluster, self.output, self.dead_letters, self.workers, self.examples_follower):
            if part is not None:
                part.start()

    def stop(self) -> None:
        """End what was started, replays included."""
        self.replays.stop_all()
        for part in (self.output, self.dead_letters, self.examples_follower, self.workers, self.cluster):
            if part is not None:
                part.stop()


def make_parts(settings: Settings, *, wall_clock: Callable[[], float] = time.time) -> Parts:
    """The parts, none of them started.

    Raises:
        SettingsInvalid: A setting is wrong.
    """
    page = settings.page
    if page.labelled is not None and not page.labelled.is_file():
        message = f"page.labelled: there is no file {page.labelled}"
        raise SettingsInvalid(message)
    # A page has something to show while it waits, so it does not wait for a broker as a command does.
    kafka = settings.kafka.model_copy(
        update={"no_broker_seconds": min(_NO_BROKER_SECONDS, settings.kafka.no_broker_seconds)}
    )
    settings = settings.model_copy(update={"kafka": kafka})
    sample = Sample(page.kept_records, random.randrange, lambda: wall_clock() * 1000)
    lines = Lines(wall_clock)
    letters = LetterGroups(settings.dead_letters.topic)
    cluster = Cluster(settings, wall_clock=wall_clock)
    workers = Workers(page.workers)
    labelled = None if page.labelled is None else LabelledStream(page.labelled, settings.input)
    examples, topic = ShadowExamples(), settings.shadow.examples_topic
    read_event = event_reader(settings)
    keeper = EventKeeper(read_event, settings.input)
    intake = _Intake(keeper, sample, labelled, lines)
    return Parts(
        settings,
        sample,
        cluster,
        workers,
        letters,
        lines,
        Replays(settings, lines, wall_clock),
        EventDetail(settings, read_event),
        HealthChain(settings, cluster, workers, lambda: models_of(sample)),
        Follower(settings.output.topic, _FirstOfAll(settings, read_event, sample), intake.take),
        Follower(settings.dead_letters.topic, partial(_open, settings, settings.dead_letters.topic), letters.take),
        labelled,
        examples,
        None if topic is None else Follower(topic, partial(_open, settings, topic), examples.take),
    )


def models_of(sample: Sample) -> list[str]:
    """The models of the newest events, for a person, the newest first."""
    models = (event.scoring.model for event in sample.newest()[:RECENT] if event.problem is None)
    return list(dict.fromkeys(f"{model['id']} ({str(model['digest'])[:19]}, {model['precision']})" for model in models))


def _open(settings: Settings, topic: str, read_to: Mapping[int, int]) -> Tail:
    page = settings.page
    return Tail(
        settings,
        topic,
        tail_records=page.tail_records,
        most_per_second=page.most_per_second,
        clock=time.monotonic,
        read_to=read_to,
    )


class _FirstOfAll:
    """Opens the output topic; beside the first opening the day before is read, on a thread of its own."""

    def __init__(self, settings: Settings, read_event: Callable[[Record], bytes], sample: Sample) -> None:
        self._settings = settings
        self._keeper = EventKeeper(read_event, settings.input)
        self._sample = sample
        self._begun = False

    def __call__(self, read_to: Mapping[int, int]) -> Tail:
        tail = _open(self._settings, self._settings.output.topic, read_to)
        if not self._begun:
            self._begun = True
            work = partial(read_past, self._settings, dict(tail.next), self._keeper, self._sample)
            threading.Thread(target=work, name="the-day-before", daemon=True).start()
        return tail


class _Intake:
    """Takes in what is read of the output topic; on the follower's thread."""

    def __init__(self, keeper: EventKeeper, sample: Sample, labelled: LabelledStream | None, lines: Lines) -> None:
        self._keeper = keeper
        self._sample = sample
        self._labelled = labelled
        self._lines = lines
        self._labels: tuple[str, ...] = ()

    def take(self, found: Read) -> None:
        kept = [event for record in found.records if (event := self._keeper.keep(record)) is not None]
        self._sample.add(kept, found.passed_over)
        if self._labelled is None or not kept:
            return
        scoring = newest_scoring(self._sample)
        if scoring.labels and scoring.labels != self._labels:
            self._labels = scoring.labels
            try:
                self._labelled.read(scoring.labels)
            except SettingsInvalid as error:
                log.warning("the labelled file can't be used", cause=str(error))
                self._lines.add("warning", f"the labelled file can't be used: {error}")
        self._labelled.add(kept)
