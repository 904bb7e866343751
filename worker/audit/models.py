"""The models that are at hand, found by digest, and each ready to score as an event names it."""

import logging
from collections.abc import Sequence
from types import MappingProxyType

from schemas.label import LabelEvent
from worker.audit.published import Unaudited
from worker.classifier import Classifier
from worker.classifier.checkpoint.checkpoint import find_checkpoint
from worker.classifier.text.canonical import CANONICAL_VIEW
from worker.errors import ModelFault, SettingsInvalid
from worker.settings import ModelSettings
from worker.verdicts import ThresholdSet

log = logging.getLogger(__name__)


class ModelsAtHand:
    """Loads a model when the first event names its digest.

    Only models that the caller names are looked at: an event's own words never decide what is fetched or opened.

    Args:
        settings: The model of the settings, and how texts are read (windows, overlap, device).
        others: Further ones: embedded names, folders, or hub names.

    Raises:
        ModelFault: A named model does not exist or is broken.
        SettingsInvalid: The settings do not fit a model.
    """

    def __init__(self, settings: ModelSettings, others: Sequence[str]) -> None:
        update = {"revision": None, "thresholds": None}
        named = [settings, *(settings.model_copy(update={"id": other, **update}) for other in others)]
        self._settings = {find_checkpoint(one).digest(): one for one in reversed(named)}
        self._loaded: dict[tuple[str, str], Classifier | Unaudited] = {}
        self._judging: dict[tuple[object, ...], Classifier] = {}

    def for_event(self, event: LabelEvent) -> Classifier | Unaudited:
        """What scores as the event says it was scored, or why nothing does."""
        view = None if event.view is None else event.view.version
        if view not in (None, CANONICAL_VIEW):
            return Unaudited.VIEW
        loaded = self._of_digest(event.model.digest, event.model.precision)
        if isinstance(loaded, Unaudited):
            return loaded
        given = event.thresholds
        key = (event.model.digest, event.model.precision, view, given.set, *given.values.items(), *given.act.items())
        if key not in self._judging:
            thresholds = ThresholdSet(given.set, given.values, MappingProxyType(given.act))
            self._judging[key] = loaded.judging_by(thresholds, view)
        return self._judging[key]

    def thresholds_at_hand(self, event: LabelEvent) -> ThresholdSet | None:
        """The threshold set that is used here with the event's model; None when that is not loaded."""
        loaded = self._loaded.get((event.model.digest, event.model.precision))
        return loaded.thresholds if isinstance(loaded, Classifier) else None

    def _of_digest(self, digest: str, precision: str) -> Classifier | Unaudited:
        """The model with this digest in this precision, with the threshold set that is at hand for it."""
        key = (digest, precision)
        if key not in self._loaded:
            self._loaded[key] = self._load(digest, precision)
        return self._loaded[key]

    def _load(self, digest: str, precision: str) -> Classifier | Unaudited:
        settings = self._settings.get(digest)
        if settings is None:
            return Unaudited.MODEL_ABSENT
        try:
            return Classifier.load(settings, precision=precision, foreign_thresholds=True, cache_entries=0)
        except SettingsInvalid as error:
            log.warning("%s is not supported here: %s", precision, error)
            return Unaudited.PRECISION
        except ModelFault as error:
            log.warning("%s", error)
            return Unaudited.MODEL_REFUSED
