"""What the page keeps of a record of the output topic: enough for lists, histograms and what-if, and little memory.

A record that is no label event is kept, too, with the sentence that says why: a page that drops such records silently
would hide that somebody else writes to the topic. Whatever a record holds, what is kept of it is bounded.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from schemas.label import LabelEvent
from worker.documents.texts import text_reader
from worker.page.event_reading import MOST_NAME, read_label_event, shown_text
from worker.page.times import written
from worker.page.unknown import Json
from worker.settings import InputSettings
from worker.types import Record

_MOST_SHARED = 256

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scoring:
    """What the events of one model and one threshold set share.

    Attributes:
        labels: The names in the order of the scores.
        model: `id`, `revision`, `digest` and `precision`.
        threshold_set: Its name.
        review: For each label the lowest score that is flagged; a label that never is has none.
        act: For each label the lowest score that is acted on.
        model_labels: For each name that the output gives a label, the model's own.
    """

    labels: tuple[str, ...]
    model: Mapping[str, str | None]
    threshold_set: str
    review: Mapping[str, float]
    act: Mapping[str, float]
    model_labels: Mapping[str, str]


NO_SCORING = Scoring((), {}, "", {}, {}, {})


@dataclass(slots=True, eq=False)
class KeptEvent:
    """One record of the output topic.

    Attributes:
        at_ms: When the event was made; of a record without an event its timestamp.
        number: Counts the records read; with `at_ms` it orders them.
        weight: How many records of the stream it stands for; more than 1 where a sample was read.
        text: The beginning of the text; None where the event has none.
        problem: Why it is no label event; None for one that is.
    """

    topic: str
    partition: int
    offset: int
    at_ms: int
    number: int
    id: str = ""
    comment_id: str = ""
    labels: tuple[str, ...] = ()
    tier: str | None = None
    acted: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    scoring: Scoring = NO_SCORING
    language: tuple[str | None, bool, bool | None] | None = None
    source: tuple[str, int, int] | None = None
    tokens: int = 0
    text: str | None = None
    problem: str | None = None
    weight: float = 1.0

    @property
    def key(self) -> str:
        """Where it is in the output topic."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    def score(self, label: str) -> float | None:
        """The label's score; None where the event has none."""
        names = self.scoring.labels
        return self.scores[names.index(label)] if label in names else None

    @property
    def top(self) -> tuple[str, float] | None:
        """The label with the highest score."""
        return max(zip(self.scoring.labels, self.scores, strict=True), key=lambda pair: pair[1], default=None)

    def summary(self, *, with_text: bool) -> dict[str, Json]:
        """A row of a list."""
        top = self.top
        row: dict[str, Json] = {
            "key": self.key,
            "id": self.id,
            "comment_id": self.comment_id,
            "at": written(self.at_ms),
            "labels": self.labels,
            "tier": self.tier,
            "tiers": {label: "act" if label in self.acted else "review" for label in self.labels},
            "top": None if top is None else {"label": top[0], "score": top[1]},
            "scores": dict(zip(self.scoring.labels, self.scores, strict=True)),
            "language": None
            if self.language is None
            else dict(zip(("detected", "reliable", "supported"), self.language, strict=True)),
            "source": None
            if self.source is None
            else dict(zip(("topic", "partition", "offset"), self.source, strict=True)),
            "has_text": self.text is not None,
            "tokens": self.tokens,
            "problem": self.problem,
        }
        if with_text and self.text is not None:
            row["text"] = self.text
        return row


@dataclass(slots=True)
class _Shared(Generic[T]):
    """One object for equal ones, so that ten thousand events do not hold ten thousand copies; bounded."""

    known: dict[Any, T] = field(default_factory=dict)

    def of(self, key: Any, make: Callable[[], T]) -> T:
        found = self.known.get(key)
        if found is None:
            if len(self.known) >= _MOST_SHARED:
                self.known.clear()  # a writer that invents names must not fill the memory
            found = self.known[key] = make()
        return found


class EventKeeper:
    """Turns records of the output topic into what is kept of them.

    Args:
        read_event: The JSON of a label event's record, or a `ValueError` (`worker.formats.label_events`).
        input_settings: Where a comment has its text.

    Raises:
        SettingsInvalid: The library that reads the text's markup is not installed.
    """

    def __init__(self, read_event: Callable[[Record], bytes], input_settings: InputSettings) -> None:
        self._read_event = read_event
        self._read_text = text_reader(input_settings)
        self._scorings: _Shared[Scoring] = _Shared()
        self._names: _Shared[tuple[str, ...]] = _Shared()
        self._languages: _Shared[tuple[str | None, bool, bool | None]] = _Shared()
        self._number = 0

    def keep(self, record: Record) -> KeptEvent | None:
        """What is kept of a record; None for a deletion."""
        value = record.value()
        if value is None:
            return None
        self._number += 1
        topic, partition, offset = record.topic() or "", record.partition() or 0, record.offset() or 0
        event, problem = read_label_event(record, self._read_event)
        if event is None:
            at_ms = max(0, record.timestamp()[1])
            return KeptEvent(topic, partition, offset, at_ms, self._number, problem=problem)
        # Protobuf's maps have no order: the one that came first holds for all events of the same labels.
        order = self._names.of(frozenset(event.scores), lambda: tuple(event.scores))
        comment_id = event.comment_id
        language = event.language
        return KeptEvent(
            topic,
            partition,
            offset,
            max(0, int(event.processed_at.timestamp() * 1000)),  # a year before the epoch is nobody's
            self._number,
            id=event.id[:MOST_NAME],
            comment_id="" if comment_id is None else comment_id.value[:MOST_NAME],
            labels=self._tuple(event.labels),
            tier=event.tier if event.tier is not None else ("review" if event.labels else "none"),
            acted=self._tuple([label for label in event.labels if event.tiers.get(label) == "act"]),
            scores=tuple(event.scores[label] for label in order),
            scoring=self._scoring(event, order),
            language=None
            if language is None
            else self._language(language.detected, language.reliable, language.supported),
            source=(event.source.topic[:MOST_NAME], event.source.partition, event.source.offset),
            tokens=event.text.tokens,
            text=shown_text(event, self._read_text),
        )

    def _tuple(self, names: list[str]) -> tuple[str, ...]:
        key = tuple(names)
        return self._names.of(key, lambda: key) if key else ()

    def _language(self, *facts: Any) -> tuple[str | None, bool, bool | None]:
        detected = None if facts[0] is None else facts[0][:MOST_NAME]
        key = (detected, facts[1], facts[2])
        return self._languages.of(key, lambda: key)

    def _scoring(self, event: LabelEvent, order: tuple[str, ...]) -> Scoring:
        thresholds, model = event.thresholds, event.model
        key = (
            model.digest,
            model.precision,
            thresholds.set,
            order,
            *sorted(thresholds.values.items()),
            *sorted(thresholds.act.items()),
        )
        return self._scorings.of(
            key,
            lambda: Scoring(
                order,
                model.model_dump(),
                thresholds.set,
                dict(thresholds.values),
                dict(thresholds.act),
                dict(event.model_labels),
            ),
        )
