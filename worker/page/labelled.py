"""Precision and recall of other thresholds, from labelled comments that came through the stream.

The page scores nothing. So a labelled file, as `sluice evaluate` reads it, is joined with the label events by the
comments' ids: the truth is the file's, the score is the stream's. `sluice produce labelled.csv` sends such a file.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import NamedTuple

from worker.comments.file_comment import Layout
from worker.errors import SettingsInvalid
from worker.page.kept_event import KeptEvent, Scoring
from worker.page.scores import Limits
from worker.page.unknown import Json, unknown
from worker.quality.labelled import LabelledFile, read_labelled
from worker.settings import InputSettings

MOST_COMMENTS = 200_000
_MOST_READINGS = 4
"""Sets of labels for which the file is read; a writer that invents labels must not have it read for ever."""

_OTHERS: tuple[str, ...] = ()
"""The key of all sets of labels beyond those."""


class _Reading(NamedTuple):
    """What the file says of one model's labels.

    Attributes:
        labels: Those that the file has.
        truth: For each comment's id its labels.
        problem: Why the file can't be used for them; empty where it can.
    """

    labels: tuple[str, ...] = ()
    truth: Mapping[str, frozenset[str]] = MappingProxyType({})
    problem: str = ""


class LabelledStream:
    """The truth about some comments, and the scores that the stream gave them; any thread may add and ask.

    Args:
        path: The file.
        input_settings: Where a comment has id and text.
    """

    def __init__(self, path: Path, input_settings: InputSettings) -> None:
        self._path = path
        self._file = LabelledFile(path, Layout(input_settings, None, None), skip_unrated=True)
        self._readings: dict[tuple[str, ...], _Reading] = {}
        self._reading = _Reading()
        self._found: dict[str, KeptEvent] = {}
        self._lock = Lock()

    def read(self, labels: Sequence[str]) -> None:
        """Read the file for these labels of a model; once, also where events of two models come by turns.

        Raises:
            SettingsInvalid: The file can't be read, or has none of the labels; raised once, `figures` says it again.
        """
        key = tuple(labels)
        if key not in self._readings and len(self._readings) >= _MOST_READINGS:
            key = _OTHERS
        new = key not in self._readings
        if new:
            self._readings[key] = self._read(key)
        reading = self._readings[key]
        with self._lock:
            self._reading = reading
        if new and reading.problem:
            raise SettingsInvalid(reading.problem)

    def _read(self, labels: tuple[str, ...]) -> _Reading:
        if labels == _OTHERS:
            return _Reading(problem=f"it is read for {_MOST_READINGS} sets of labels, and more have come")
        try:
            texts = read_labelled(self._file, labels)
        except SettingsInvalid as error:
            return _Reading(problem=str(error))
        truth = {
            comment_id: frozenset(label for label, has in zip(texts.labels, row, strict=True) if has)
            for comment_id, row in zip(texts.ids[:MOST_COMMENTS], texts.truth[:MOST_COMMENTS], strict=True)
        }
        return _Reading(texts.labels, truth)

    def add(self, events: Iterable[KeptEvent]) -> None:
        """Keep the scores of those comments that are labelled; the last of one comment counts."""
        with self._lock:
            for event in events:
                if event.comment_id in self._reading.truth:
                    self._found[event.comment_id] = event

    def figures(self, label: str, scoring: Scoring, now: Limits, then: Limits) -> Json:
        """Precision and recall of a label's tiers by `then`, and under `now` by the thresholds in force."""
        with self._lock:
            reading = self._reading
            if reading.problem:
                return unknown(f"the labelled file can't be used: {reading.problem}")
            if label not in reading.labels and reading.labels:
                return unknown(f"{self._path.name} says nothing of {label}")
            pairs = [
                (score, label in reading.truth[comment_id])
                for comment_id, event in self._found.items()
                if comment_id in reading.truth
                and event.scoring.model.get("digest") == scoring.model.get("digest")
                and (score := event.score(label)) is not None
            ]
        if not pairs:
            return unknown(
                f"no comment of {self._path.name} has come through the stream yet, by its id: send them with "
                "`sluice produce`"
            )
        return {**_figures(pairs, then), "now": _figures(pairs, now)}


def _figures(pairs: Sequence[tuple[float, bool]], limits: Limits) -> Mapping[str, Json]:
    return {"review": _of_tier(pairs, {"review", "act"}, limits), "act": _of_tier(pairs, {"act"}, limits)}


def _of_tier(pairs: Sequence[tuple[float, bool]], tiers: set[str], limits: Limits) -> Json:
    flagged = [has for score, has in pairs if limits.tier(score) in tiers]
    positives = sum(has for _, has in pairs)
    return {
        "precision": sum(flagged) / len(flagged) if flagged else unknown("no comment reaches the tier"),
        "recall": sum(flagged) / positives if positives else unknown("no comment has the label"),
        "n": len(pairs),
        "positives": positives,
    }
