"""Audits published events: reads them, scores them again in batches, compares, and counts."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from schemas.label import LabelEvent
from worker.audit.comparison import Difference, differences
from worker.audit.models import ModelsAtHand
from worker.audit.published import Auditable, Unaudited
from worker.audit.tally import Tally
from worker.classifier import Classifier
from worker.classifier.company import TOLERANCES
from worker.stream.isolation import classify_isolating
from worker.types import Unscorable

EVENTS_AT_ONCE = 256


@dataclass(slots=True)
class Auditor:
    """Scores published events again.

    Attributes:
        models: The models at hand.
        read: From a record's value to its event, or to why there is nothing to score.
        tolerance: Largest difference of a logit; None takes that of each event's precision.
        tally: What was found so far.
    """

    models: ModelsAtHand
    read: Callable[[bytes | None], Auditable | Unaudited]
    tolerance: float | None = None
    tally: Tally = field(default_factory=Tally)

    def differences(
        self, values: Iterable[bytes | None], progress: Callable[[int], None] = lambda _: None
    ) -> Iterator[tuple[LabelEvent, Difference]]:
        """Everything that differs, event by event; what cannot be audited is counted.

        Args:
            values: Values of the records.
            progress: Called with how many more were read.

        Raises:
            SluiceError: A model or its device is broken.
        """
        remaining = iter(values)
        while batch := list(islice(remaining, EVENTS_AT_ONCE)):
            yield from self._of_batch(batch)
            progress(len(batch))

    def _of_batch(self, values: list[bytes | None]) -> Iterator[tuple[LabelEvent, Difference]]:
        by_classifier: dict[int, tuple[Classifier, list[Auditable]]] = {}
        for value in values:
            found = self.read(value)
            if isinstance(found, Unaudited):
                self.tally.unaudited[found] += 1
                continue
            classifier = self.models.for_event(found.event)
            if isinstance(classifier, Unaudited):
                self.tally.unaudited[classifier] += 1
            else:
                by_classifier.setdefault(id(classifier), (classifier, []))[1].append(found)
        for classifier, events in by_classifier.values():
            yield from self._scored_again(classifier, events)

    def _scored_again(self, classifier: Classifier, events: list[Auditable]) -> Iterator[tuple[LabelEvent, Difference]]:
        scored = classify_isolating(classifier, [one.text for one in events])
        for (event, _), again in zip(events, scored, strict=True):
            if isinstance(again, Unscorable):
                self.tally.unaudited[Unaudited.UNSCORABLE] += 1
                continue
            tolerance = TOLERANCES[event.model.precision] if self.tolerance is None else self.tolerance
            at_hand = self.models.thresholds_at_hand(event)
            found = list(differences(event, again, at_hand, tolerance))
            self.tally.add(event.scores, again.scores, found)
            yield from ((event, difference) for difference in found)
