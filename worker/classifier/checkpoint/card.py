"""The languages that a checkpoint's card states: `language` in the front matter of its README.md, as the hub has it."""

import logging
from pathlib import Path
from typing import Any

CARD_FILE = "README.md"

_NO_LANGUAGES = {"multilingual", "code"}

log = logging.getLogger(__name__)


def stated_languages(folder: Path) -> tuple[str, ...] | None:
    """Codes of the languages that the card in `folder` names; None when it names none, or says `multilingual`."""
    try:
        lines = (folder / CARD_FILE).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    if not lines or lines[0].strip() != "---" or "---" not in (rest := [line.strip() for line in lines[1:]]):
        return None
    import yaml  # noqa: PLC0415 - only checkpoints with a card need it

    try:
        metadata: Any = yaml.safe_load("\n".join(lines[1 : 1 + rest.index("---")]))
    except yaml.YAMLError:
        log.warning("the front matter of %s is not YAML: the languages it may name are not known", folder / CARD_FILE)
        return None
    named = metadata.get("language") if isinstance(metadata, dict) else None
    languages = [named] if isinstance(named, str) else named
    if not isinstance(languages, list) or not languages or not all(isinstance(one, str) for one in languages):
        return None
    return None if _NO_LANGUAGES & set(languages) else tuple(languages)
