"""Counts of an audit: what was scored again, what differs by label, and what could not be audited and why."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from worker.audit.comparison import Difference, Kind
from worker.audit.published import Unaudited


@dataclass(slots=True)
class OfLabel:
    """One label's counts.

    Attributes:
        compared: Scores compared.
        largest: Largest difference of a score.
        differences: Differences by kind.
    """

    compared: int = 0
    largest: float = 0.0
    differences: Counter[Kind] = field(default_factory=Counter)


@dataclass(slots=True)
class Tally:
    """What an audit has found so far.

    Attributes:
        audited: Events scored again.
        differing: Those among them with a difference beyond the tolerance.
        unaudited: Events that could not be audited, by reason.
        readings: Texts that were read into other tokens or windows.
        labels: Counts of each label.
    """

    audited: int = 0
    differing: int = 0
    unaudited: Counter[Unaudited] = field(default_factory=Counter)
    readings: int = 0
    labels: dict[str, OfLabel] = field(default_factory=dict)

    def add(self, published: dict[str, float], again: dict[str, float], found: Iterable[Difference]) -> None:
        """Count an event, its scores and those of now, and what differs."""
        self.audited += 1
        for label, score in again.items():
            of_label = self.labels.setdefault(label, OfLabel())
            if label in published:
                of_label.compared += 1
                of_label.largest = max(of_label.largest, abs(published[label] - score))
        beyond = False
        for difference in found:
            beyond |= not difference.kind.within_tolerance
            if difference.kind is Kind.READING:
                self.readings += 1
            else:
                self.labels.setdefault(difference.label, OfLabel()).differences[difference.kind] += 1
        self.differing += beyond

    @property
    def events(self) -> int:
        """Events read."""
        return self.audited + self.unaudited.total()

    @property
    def scorable(self) -> int:
        """Records that should be events with a text to score: all but deletions."""
        return self.events - self.unaudited[Unaudited.DELETION]

    @property
    def near_threshold(self) -> int:
        """Verdicts that are others now, of scores within the tolerance of a threshold."""
        return sum(of_label.differences[Kind.NEAR_THRESHOLD] for of_label in self.labels.values())

    def summary(self) -> dict[str, Any]:
        """All counts, for `--json`."""
        return {
            "events": self.events,
            "audited": self.audited,
            "differing": self.differing,
            "near_threshold": self.near_threshold,
            "readings": self.readings,
            "unaudited": {str(reason): count for reason, count in sorted(self.unaudited.items())},
            "labels": {
                label: {
                    "compared": of_label.compared,
                    "largest_difference": round(of_label.largest, 6),
                    **{str(kind).replace("-", "_"): of_label.differences[kind] for kind in _OF_LABELS},
                }
                for label, of_label in self.labels.items()
            },
        }

    def table(self) -> list[str]:
        """The same as lines to read."""
        head = ("label", "scores", "largest", "differ", "verdicts", "thresholds", "near threshold")
        rows: list[tuple[str, ...]] = [head]
        rows += [
            (
                label,
                f"{of_label.compared:,}",
                f"{of_label.largest:.6f}",
                *(f"{of_label.differences[kind]:,}" for kind in _OF_LABELS),
            )
            for label, of_label in self.labels.items()
        ]
        first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
        lines = [f"{self.audited:,} of {self.events:,} events scored again, {self.differing:,} differ"]
        if self.readings:
            lines.append(f"{self.readings:,} texts are read otherwise now: other tokens or windows")
        lines.append("")
        for name, *cells in rows if self.labels else []:
            padded = "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, others, strict=True))
            lines.append(f"{name:<{first}}  {padded}")
        if self.unaudited:
            lines += ["", "not audited"]
            width = max(len(reason) for reason in self.unaudited)
            lines += [
                f"  {reason:<{width}}  {count:>7,}  {reason.meaning}" for reason, count in self.unaudited.most_common()
            ]
        return lines


_OF_LABELS = (Kind.SCORE, Kind.VERDICT, Kind.THRESHOLDS, Kind.NEAR_THRESHOLD)
