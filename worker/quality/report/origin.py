"""What a report is about: model, threshold set, file and date."""

import hashlib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from worker.quality.scored_texts import ScoredTexts


def origin(scored: "ScoredTexts", path: Path, clean_weight: float, today: date) -> dict[str, Any]:
    """Where the figures come from, as JSON values."""
    return {
        "date": today.isoformat(),
        "model": scored.identity._asdict(),
        "threshold_set": scored.thresholds.name,
        "data": {
            "file": path.name,
            "digest": f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}",
            "texts": len(scored.truth),
            "unscorable": scored.unscorable,
            "clean_weight": clean_weight,
        },
    }
