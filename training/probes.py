"""Figures on what was kept apart: how much of what is harmless passes, how much of what is abuse is caught.

"Caught" and "flagged" mean: any label reaches its threshold.
"""

from typing import Any

import numpy as np

from training.corpus import Corpus
from training.data import Comments
from training.measuring import sigmoid
from worker.quality.figures import Vector

UNRATED = ("everyday", "unmarked", "crops")
"""Sources whose texts nobody rated; nothing is right or wrong about them."""


def flags(logits: Vector, thresholds: list[float]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which texts get any label, shape [texts]."""
    flagged: np.ndarray[Any, np.dtype[np.bool_]] = np.any(sigmoid(logits) >= np.array(thresholds), axis=1)
    return flagged


def probe(kept: Corpus, logits: Vector, thresholds: list[float]) -> dict[str, Any]:
    """By source: how many texts are harmless and how many of them pass, how many are abuse and how many are caught."""
    flagged, abusive = flags(logits, thresholds), kept.abusive()
    sources = np.array(kept.sources)
    frames = np.char.startswith(sources, "frames: ")
    masks = {name: sources == name for name in dict.fromkeys(kept.sources) if name not in UNRATED}
    masks["frames"] = frames
    return {name: _figures(flagged[mask], abusive[mask]) for name, mask in masks.items()}


def operating_point(comments: Comments, logits: Vector, thresholds: list[float]) -> dict[str, float]:
    """Share of toxic comments caught and of comments without labels flagged."""
    flagged = flags(logits, thresholds)
    toxic, clean = comments.labels[:, 0] > 0, ~comments.labels.any(axis=1)
    return {
        "toxic_caught": _rounded(float(flagged[toxic].mean())),
        "toxic_by_own_label": _rounded(float((sigmoid(logits)[toxic, 0] >= thresholds[0]).mean())),
        "clean_flagged": _rounded(float(flagged[clean].mean())),
    }


def _figures(
    flagged: np.ndarray[Any, np.dtype[np.bool_]], abusive: np.ndarray[Any, np.dtype[np.bool_]]
) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    if (~abusive).any():
        figures |= {"harmless": int((~abusive).sum()), "pass": _rounded(float(1 - flagged[~abusive].mean()))}
    if abusive.any():
        figures |= {"abusive": int(abusive.sum()), "caught": _rounded(float(flagged[abusive].mean()))}
    return figures


def _rounded(value: float) -> float:
    return round(value, 4)
