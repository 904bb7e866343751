"""The public names of Sluice: what other programs may build on.

    from sluice import Classifier

    classifier = Classifier.load("sluice-mini")

Everything else in `worker` and `schemas` is the inside of the project and moves without notice. The names are imported
when they are first used, so `import sluice` costs nothing; torch is imported by `Classifier.load`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from worker import __version__

if TYPE_CHECKING:
    from schemas import (
        CommentEvent,
        DeadLetterHeaders,
        LabelEvent,
        ModelInfo,
        SourceCoordinates,
        TextInfo,
        Thresholds,
        ViewInfo,
        event_id,
    )
    from worker.classifier import Classifier
    from worker.errors import ModelFault, Poison, SettingsInvalid, SluiceError
    from worker.reasons.spans import LabelReasons, Reason, Reasons, Span
    from worker.settings import BatchSettings, ModelSettings, Settings
    from worker.types import Classification, ModelIdentity, TextFacts, Unscorable, ViewFacts
    from worker.verdicts import Language, ThresholdSet, Tier

__all__ = [
    "BatchSettings",
    "Classification",
    "Classifier",
    "CommentEvent",
    "DeadLetterHeaders",
    "LabelEvent",
    "LabelReasons",
    "Language",
    "ModelFault",
    "ModelIdentity",
    "ModelInfo",
    "ModelSettings",
    "Poison",
    "Reason",
    "Reasons",
    "Settings",
    "SettingsInvalid",
    "SluiceError",
    "SourceCoordinates",
    "Span",
    "TextFacts",
    "TextInfo",
    "ThresholdSet",
    "Thresholds",
    "Tier",
    "Unscorable",
    "ViewFacts",
    "ViewInfo",
    "__version__",
    "event_id",
]

_MODULES = {
    "schemas": (
        "CommentEvent",
        "DeadLetterHeaders",
        "LabelEvent",
        "ModelInfo",
        "SourceCoordinates",
        "TextInfo",
        "Thresholds",
        "ViewInfo",
        "event_id",
    ),
    "worker.classifier": ("Classifier",),
    "worker.errors": ("ModelFault", "Poison", "SettingsInvalid", "SluiceError"),
    "worker.reasons.spans": ("LabelReasons", "Reason", "Reasons", "Span"),
    "worker.settings": ("BatchSettings", "ModelSettings", "Settings"),
    "worker.types": ("Classification", "ModelIdentity", "TextFacts", "Unscorable", "ViewFacts"),
    "worker.verdicts": ("Language", "ThresholdSet", "Tier"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _MODULE_OF:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
