"""Another model, or another threshold set, without leaving the group.

Asked for, the successor is loaded and warmed on a thread of its own while the old one goes on scoring. Once it is ready
the loop finishes, publishes and commits what is in flight, and the next record is the successor's: no batch, no
transaction and no event has two models in it. If it can't be loaded the old one stays.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

from worker.errors import SluiceError
from worker.protocols import Classifier
from worker.stream.model_in_use import ModelInUse

log = logging.getLogger(__name__)


class ModelChange:
    """Used by the loop's thread.

    Args:
        asked: Set when a change is asked for, on any thread; cleared when one begins.
        load: Loads and warms the model that the settings name now; runs on a thread of its own.
        model: The model in use.
        count: Told `changed` or `failed` at the end of each.
    """

    def __init__(
        self,
        asked: threading.Event,
        load: Callable[[], Classifier[Any]],
        model: ModelInUse,
        count: Callable[[str], None],
    ) -> None:
        self._asked = asked
        self._load = load
        self._model = model
        self._count = count
        self._loading: threading.Thread | None = None
        self._loaded: Classifier[Any] | None = None

    def is_due(self) -> bool:
        """Whether a successor is ready. Begins to load one if that is asked for."""
        if self._loading is None and self._asked.is_set():
            self._asked.clear()
            self._loading = threading.Thread(target=self._load_successor, name="model-change", daemon=True)
            self._loading.start()
        if self._loading is not None and not self._loading.is_alive():
            self._loading = None
        return self._loading is None and self._loaded is not None

    def make(self) -> None:
        """Put the successor in the place of the model in use; nothing may be in flight."""
        successor, self._loaded = self._loaded, None
        assert successor is not None  # noqa: S101 - it is due
        before = _named(self._model)
        self._model.change_to(successor)
        log.info("the model changed from %s to %s", before, _named(successor))
        self._count("changed")

    def _load_successor(self) -> None:
        try:
            successor = self._load()
        except SluiceError as error:
            log.error("the model was not changed, and %s stays: %s", _named(self._model), error)  # noqa: TRY400 - it is no fault of the code
            self._count("failed")
        except Exception as error:
            # Whatever a checkpoint's files can do wrong: the stream must not end by it.
            log.exception("the model was not changed, and %s stays: %s", _named(self._model), type(error).__name__)
            self._count("failed")
        else:
            self._loaded = successor


def _named(model: Classifier[Any]) -> str:
    identity, thresholds = model.identity, model.thresholds
    return f"{identity.id} ({identity.digest[:19]}, {identity.precision}, threshold set {thresholds.name})"
