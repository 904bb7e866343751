"""What a caller may give as texts: one string, or strings from anything that can be iterated over."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice


def each_text(texts: str | Iterable[str]) -> Iterator[str]:
    """Each text, in order; a string is one text, not its characters.

    Raises:
        TypeError: `texts` is a table or a mapping, which iterates over names, or something in it is not a string.
    """
    if isinstance(texts, str):
        yield texts
        return
    if isinstance(texts, bytes | Mapping) or hasattr(texts, "columns"):
        message = f"texts is a {type(texts).__name__}: give a string, or strings from a list or a column of a table"
        raise TypeError(message)
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            message = f"text {position} is a {type(text).__name__}, not a string: {_advice(text)}"
            raise TypeError(message)
        yield text


def batched(texts: Iterator[str], size: int) -> Iterator[list[str]]:
    """Lists of up to `size` texts."""
    while part := list(islice(texts, size)):
        yield part


def _advice(text: object) -> str:
    if isinstance(text, bytes):
        return "decode it"
    if text is None or text != text:  # noqa: PLR0124 - NaN, which pandas puts where a value is missing
        return 'a missing value: leave it out, or fill it with ""'
    return "convert it"
