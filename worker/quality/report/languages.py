"""The language of each text of a report: as the file has it, else as it is detected."""

from typing import TYPE_CHECKING

from worker.classifier.text.language import detector_for
from worker.settings import ModelSettings

if TYPE_CHECKING:
    from worker.quality.scored_texts import ScoredTexts


def languages_of(scored: "ScoredTexts", settings: ModelSettings) -> list[str]:
    """A language for each text; empty where it is not certain, or where nothing detects one."""
    if any(scored.languages):
        return list(scored.languages)
    detector = detector_for(settings, None)
    if detector is None:
        return [""] * len(scored.texts)
    found = map(detector.detect, scored.texts)
    return [language.detected or "" if language.reliable else "" for language in found]
