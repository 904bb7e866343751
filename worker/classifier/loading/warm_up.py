"""The first passes of a model, made before anybody waits for them; they also show whether its weights are sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.errors import ModelFault, Poison
from worker.types import TextFacts, Unscorable

if TYPE_CHECKING:
    from worker.classifier.loading.assemble import LoadedModel


def warm_up(model: LoadedModel, name: str) -> None:
    """Compute a short, a middling and a full window once.

    Args:
        model: What was loaded.
        name: What it is called in errors.

    Raises:
        ModelFault: The model cannot compute a window, or its scores are not finite: its weights are broken.
    """
    content = model.plan.content
    letters = "the quick brown fox jumps over the lazy dog. " * (content // 8 + 1)
    encoded = model.tokenizer.encode([letters], content)[0]
    for length in sorted({min(8, content), min(64, content), content}):
        (window,) = model.plan.windows(encoded[:length])
        try:
            (result,) = model.scorer.score([([window], TextFacts(len(window), 1, truncated=False))])
        except Poison as error:
            if length < content:
                continue  # a text may be too short for a model, which said so when it was loaded
            message = f"model {name!r} cannot compute a window of {len(window)} tokens: {error}"
            raise ModelFault(message) from error
        if isinstance(result, Unscorable):
            message = (
                f"model {name!r} gives scores that are not finite: its weights are broken. Fetch or save it again."
            )
            raise ModelFault(message)
