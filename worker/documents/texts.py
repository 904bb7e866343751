"""The text of a comment: one or several fields of the document, as a reader sees them."""

from collections.abc import Callable, Sequence
from typing import Any

from worker.documents.unreadable import Unreadable, type_name
from worker.json_pointer import MISSING, resolver
from worker.settings import InputSettings, TextFormat


def text_reader(settings: InputSettings) -> Callable[[Any], str]:
    """A function from a document to its text.

    Of several pointers some may lead to nothing, to null or to an empty text: the others are joined. The function
    raises `Unreadable` for a document without a text.

    Raises:
        SettingsInvalid: The library that reads the markup is not installed.
    """
    places = [(pointer, resolver(pointer)) for pointer in settings.text_pointer]
    may_lack = len(places) > 1
    joined = joiner(settings)

    def read(document: Any) -> str:
        texts = []
        for pointer, find in places:
            found = find(document)
            if type(found) is str:
                texts.append(found)
            elif not may_lack or not (found is MISSING or found is None):
                raise _no_text(pointer, found)
        if not texts:
            error, everywhere = "TextMissing", ", ".join(settings.text_pointer)
            raise Unreadable(error, f"there is nothing at any of {everywhere}; a string is required")
        return joined(texts)

    return read


def joiner(settings: InputSettings) -> Callable[[Sequence[str]], str]:
    """A function from the texts of a comment, as they are written, to what a reader sees.

    Markup is read before they are joined. The function raises `Unreadable` for markup beyond the limits.

    Raises:
        SettingsInvalid: The library that reads the markup is not installed.
    """
    shown = _shown(settings.text_format)
    separator = settings.text_separator

    def join(texts: Sequence[str]) -> str:
        if len(texts) == 1:
            return shown(texts[0])
        return separator.join(text for text in map(shown, texts) if text)

    return join


def _shown(text_format: TextFormat) -> Callable[[str], str]:
    # The libraries are an extra, and a worker of plain texts needs neither.
    if text_format is TextFormat.HTML:
        from worker.documents.html_text import html_reader  # noqa: PLC0415 - an extra

        return html_reader()
    if text_format is TextFormat.MARKDOWN:
        from worker.documents.markdown_text import markdown_reader  # noqa: PLC0415 - an extra

        return markdown_reader()
    return str


def _no_text(pointer: str, found: Any) -> Unreadable:
    if found is MISSING:
        return Unreadable("TextMissing", f"there is nothing at {pointer}; a string is required")
    return Unreadable("TextNotAString", f"the value at {pointer} is {type_name(found)}; a string is required")
