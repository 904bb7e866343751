"""The language a text is in, by Google's Compact Language Detector 2, and whether the model knows it.

A model that does not know a language gives its comments low scores, which look like a confident "clean". So an event
says which language was detected, whether that is certain, and whether the model knows it. CLD2 was chosen by
measurement (docs/explanation/language.md): it takes 14 us for a comment, and is seldom certain and wrong. It has no
wheel for Linux on ARM, so it is not required there, and a worker without it says so once and labels all the same.
"""

import logging
import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from worker.errors import SettingsInvalid
from worker.settings import ModelSettings, OtherLanguages
from worker.verdicts import Language

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_CHARACTERS = 2000
"""Characters of a text that are looked at: more do not change the answer, and their cost would have no bound."""

LEAST_BYTES = 24
"""Bytes of UTF-8 below which no answer counts as certain. All wrong ones among 6,000 informal comments were shorter
than 34; a script other than Latin says more with fewer characters, and its characters have more bytes."""

LEAST_PERCENT = 80
"""Share of the text that must be in the language. An English sentence beside one of another language leaves less."""

_REFUSED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""Characters that CLD2 refuses a text for: controls, halves of surrogate pairs, and non-characters."""

_NAMES = {"iw": "he", "jw": "jv", "in": "id", "nb": "no", "nn": "no", "un": None, "xxx": None}
"""ISO 639-1 for the codes that CLD2 writes otherwise; None where it found no language."""

_OFTEN_ENGLISH = frozenset({"sco", "bi", "pcm", "xx"})
"""Languages so close to English that short informal English is taken for them."""

_INSTALL_IT = "pip install pycld2 compiles it with a C++ compiler where it has no wheel (Linux on ARM)"

log = logging.getLogger(__name__)


def detector_for(settings: ModelSettings, stated: Collection[str] | None) -> "LanguageDetector | None":
    """The detector that the settings ask for; None where they ask for none, or where its library is not installed.

    Args:
        settings: Whether to detect, and the languages the model knows.
        stated: Codes of the languages that the checkpoint's card states; the settings' own go first.

    Raises:
        SettingsInvalid: Comments in other languages are to be reviewed, and nothing here could detect one.
    """
    if not settings.detect_language:
        return None
    try:
        return LanguageDetector(stated if settings.languages is None else settings.languages.split(","))
    except ImportError as error:
        if settings.other_languages is OtherLanguages.REVIEW:
            message = f"model.other_languages = review needs pycld2, which is not installed: {_INSTALL_IT}"
            raise SettingsInvalid(message) from error
        log.warning(
            "no language is detected, and events have language null: pycld2 is not installed. %s; "
            "SLUICE_MODEL__DETECT_LANGUAGE=false silences this",
            _INSTALL_IT,
        )
        return None


class LanguageDetector:
    """Detects the language of texts; may be used on any thread.

    Args:
        known: Codes of the languages the model knows; None when nothing says which.

    Raises:
        ImportError: The library is not installed.
    """

    def __init__(self, known: Collection[str] | None) -> None:
        import pycld2  # noqa: PLC0415 - there is no wheel of it for every machine

        self._detect: Callable[..., tuple[bool, int, tuple[tuple[str, str, int, float], ...]]] = pycld2.detect
        self._error = pycld2.error
        self._known = None if known is None else frozenset(map(normal, known))

    def detect(self, text: str) -> Language:
        """What can be said of a text's language. Never raises: a text that says nothing is not reliable."""
        beginning = text[:MOST_CHARACTERS]
        try:
            certain, size, found = self._detect(beginning, isPlainText=True)
        except (self._error, UnicodeEncodeError):
            try:
                certain, size, found = self._detect(_REFUSED.sub(" ", beginning), isPlainText=True)
            except (self._error, UnicodeEncodeError):
                return self._language(None, reliable=False)
        _, code, percent, _ = found[0]
        detected = normal(code)
        if detected in _OFTEN_ENGLISH:
            return self._language("en", reliable=False)
        return self._language(detected, reliable=certain and size >= LEAST_BYTES and percent >= LEAST_PERCENT)

    def _language(self, detected: str | None, *, reliable: bool) -> Language:
        reliable = reliable and detected is not None
        supported = None if self._known is None else not (reliable and detected not in self._known)
        return Language(detected, reliable, supported)


def normal(code: str) -> str | None:
    """The code of a language without its script or region; None for no language."""
    language = code.lower().replace("_", "-").partition("-")[0]
    return _NAMES.get(language, language)
