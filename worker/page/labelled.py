"""Precision and recall of other thresholds, from labelled comments that came through the stream.

The page scores nothing. So a labelled file, as `sluice evaluate` reads it, is joined with the label events by the
comments' ids: the truth is the file's, the score is the stream's. `sluice produce labelled.csv` sends such a file.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from threading import Lock

from worker.comments.file_comment import Layout
from worker.page.kept_event import KeptEvent, Scoring
from worker.page.scores import Limits
from worker.page.unknown import Json, unknown
from worker.quality.labelled import LabelledFile, read_labelled
from worker.settings import InputSettings

MOST_COMMENTS = 200_000


class LabelledStream:
    """The truth about some comments, and the scores that the stream gave them; any thread may add and ask.

    Args:
        path: The file.
        input_settings: Where a comment has id and text.
    """

    def __init__(self, path: Path, input_settings: InputSettings) -> None:
        self._path = path
        self._file = LabelledFile(path, Layout(input_settings, None, None), skip_unrated=True)
        self._labels: tuple[str, ...] = ()
        self._truth: dict[str, frozenset[str]] = {}
        self._found: dict[str, KeptEvent] = {}
        self._lock = Lock()

    def read(self, labels: Sequence[str]) -> None:
        """Read the file for these labels of a model.

        Raises:
            SettingsInvalid: The file can't be read, or has none of the labels.
        """
        texts = read_labelled(self._file, labels)
        truth = {
            comment_id: frozenset(label for label, has in zip(texts.labels, row, strict=True) if has)
            for comment_id, row in zip(texts.ids[:MOST_COMMENTS], texts.truth[:MOST_COMMENTS], strict=True)
        }
        with self._lock:
            self._labels, self._truth, self._found = texts.labels, truth, {}

    def add(self, events: Iterable[KeptEvent]) -> None:
        """Keep the scores of those comments that are labelled; the last of one comment counts."""
        with self._lock:
            for event in events:
                if event.comment_id in self._truth:
                    self._found[event.comment_id] = event

    def figures(self, label: str, scoring: Scoring, now: Limits, then: Limits) -> Json:
        """Precision and recall of a label's tiers by `then`, and under `now` by the thresholds in force."""
        with self._lock:
            if label not in self._labels and self._labels:
                return unknown(f"{self._path.name} says nothing of {label}")
            pairs = [
                (score, label in self._truth[comment_id])
                for comment_id, event in self._found.items()
                if event.scoring.model.get("digest") == scoring.model.get("digest")
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
