"""The events of Sluice as pydantic models; the JSON Schemas in `schemas/json` are generated from them.

This package imports nothing else of Sluice, so that a consumer of the events can use it alone.
"""

from schemas.comment import CommentEvent
from schemas.dead_letter import DeadLetterHeaders
from schemas.identity import event_id
from schemas.label import (
    CommentId,
    LabelEvent,
    LanguageInfo,
    ModelInfo,
    SourceCoordinates,
    TextInfo,
    Thresholds,
    ViewInfo,
)
from schemas.shadow import ShadowExample

__all__ = [
    "CommentEvent",
    "CommentId",
    "DeadLetterHeaders",
    "LabelEvent",
    "LanguageInfo",
    "ModelInfo",
    "ShadowExample",
    "SourceCoordinates",
    "TextInfo",
    "Thresholds",
    "ViewInfo",
    "event_id",
]
