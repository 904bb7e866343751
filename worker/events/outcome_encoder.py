"""From an outcome to the record it publishes: a label event, a dead letter, or a deletion that goes on."""

import socket
from typing import Any

from worker.events.dead_letter import DeadLetterEncoder
from worker.events.label_event import LabelEventEncoder
from worker.events.tombstone import TombstoneEncoder
from worker.protocols import Classifier, WallClock
from worker.settings import Settings
from worker.types import Labelled, Outcome, Outgoing, Rejected


class OutcomeEncoder:
    """Encodes in the name of the model that scored.

    Args:
        settings: Name the topics and say what goes into an event.
        model: Named in events and dead letters.
        wall_clock: Seconds since the epoch.
    """

    def __init__(self, settings: Settings, model: Classifier[Any], wall_clock: WallClock) -> None:
        self._settings = settings
        self._clock = wall_clock
        self._skipped = TombstoneEncoder(settings.output.topic).encode
        self.follow(model)

    def follow(self, model: Classifier[Any]) -> None:
        """Name another model from now on."""
        settings = self._settings
        self._labelled = LabelEventEncoder(
            settings.input, settings.output, model.identity, model.thresholds, model.labels, model.view, self._clock
        ).encode
        self._rejected = DeadLetterEncoder(
            settings, task_id=socket.gethostname(), model_id=model.identity.id, clock=self._clock
        ).encode

    def encode(self, outcome: Outcome) -> Outgoing | None:
        """The record, or None for what publishes nothing."""
        if isinstance(outcome, Labelled):
            return self._labelled(outcome)
        return self._rejected(outcome) if isinstance(outcome, Rejected) else self._skipped(outcome)
