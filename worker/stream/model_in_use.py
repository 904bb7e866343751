"""The model that scores at present, in the place of a model: what works with it need not know that it can change."""

from collections.abc import Callable, Sequence
from typing import Any

from worker.facts import ModelFacts
from worker.protocols import Classifier
from worker.types import Classification, ModelIdentity, Unscorable
from worker.verdicts import ThresholdSet


class ModelInUse:
    """A `worker.protocols.Classifier` that another one stands behind.

    Args:
        model: The first one.
    """

    def __init__(self, model: Classifier[Any]) -> None:
        self._model = model
        self._before = ModelFacts()
        self._follow: Callable[[Classifier[Any]], None] = lambda _: None

    def when_it_changes(self, follow: Callable[[Classifier[Any]], None]) -> None:
        """Call `follow` with each model that replaces another."""
        self._follow = follow

    def change_to(self, model: Classifier[Any]) -> None:
        """Score with another model from now on. Nothing may be in flight: what one encoded only it can score."""
        self._before = self.facts()
        self._model = model
        self._follow(model)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels, in the model's order."""
        return self._model.labels

    @property
    def identity(self) -> ModelIdentity:
        """What computes the scores."""
        return self._model.identity

    @property
    def thresholds(self) -> ThresholdSet:
        """Which scores become labels."""
        return self._model.thresholds

    @property
    def view(self) -> str | None:
        """Name and version of the second reading that texts are scored in; None when there is none."""
        return self._model.view

    @property
    def pass_tokens(self) -> int:
        """Tokens computed at once."""
        return self._model.pass_tokens

    @property
    def lanes(self) -> int:
        """How many batches it scores side by side."""
        return self._model.lanes

    def encode(self, texts: Sequence[str]) -> list[Any]:
        """Tokenize; see `worker.protocols.Classifier.encode`."""
        return self._model.encode(texts)

    def score(self, encoded: Sequence[Any]) -> list[Classification | Unscorable]:
        """Forward pass and sigmoid; see `worker.protocols.Classifier.score`."""
        return self._model.score(encoded)

    def facts(self) -> ModelFacts:
        """What has been counted so far, by the models before as well."""
        return ModelFacts(*map(sum, zip(self._before, self._model.facts(), strict=True)))
