"""Decides whether a text has anything for the steps to examine. Most texts have nothing, and cost no more than this.

Patterns over every character would cost more than the rest of the reading. So the text's bytes are mapped to a few
classes, and the search is for short strings of classes: both are loops in C, and take about a microsecond per hundred
characters.
"""

import re
import string

from worker.classifier.text.canonical.undoing import STANDS_FOR

NOTHING = 0
MARKUP, UNUSUAL, APART, SIGNS, DRAWN_OUT = (1 << bit for bit in range(5))
"""What a text may hold, as bits: `enum` flags would cost as much as the search."""

GAP = 3
"""Maximum characters between two letters set apart."""

_MARKUP = re.compile(r"&[#A-Za-z][A-Za-z0-9]*+;|<[A-Za-z/!]|\[/[A-Za-z]")
_USUAL = (
    r"\t\n\r\x20-\x7e\xa0-\xac\xae-\u017e\u0180-\u01ff\u1e00-\u1eff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2122"
    r"\u2190-\u22ff\u2500-\u27bf\u3000-\u30ff\u3400-\u9fff\uac00-\ud7a3\U0001f300-\U0001faff"
)
_UNUSUAL = re.compile(f"[^{_USUAL}]")
_SELECTED_EMOJI = re.compile(r"[\u2030-\u27bf\u3000-\u32ff\U0001f000-\U0001faff]\ufe0f")

_LETTERS = (string.ascii_letters + "".join(chr(code) for code in range(0xC0, 0x100) if chr(code).isalpha())).encode(
    "latin-1"
)
_SIGNS = "".join(STANDS_FOR).encode("latin-1", "ignore")
_SEEN_APART = b"01345789@$"
_PLAIN = b"\t\n\r" + bytes(range(0x20, 0x7F))


def _classes(letters: bytes, signs: bytes, *, other: bytes = b" ") -> bytes:
    table = bytearray(other * 256)
    for byte in letters:
        table[byte] = ord("a")
    for byte in signs:
        table[byte] = ord("1")
    return bytes(table)


_INSIDE = _classes(_LETTERS, _SIGNS + b"?")  # "?" is what "€" becomes in Latin-1
_EDGES = _classes(_LETTERS, _SIGNS.replace(b"!", b"") + b"?")
_APART = _classes(_LETTERS + _SEEN_APART, b"")
_INSIDE_WORDS = (b"a1a", b"a11a", b"a111a", b"1a1")
_AT_THEIR_EDGES = (b"1aa", b"aa1", b"a11")
_LETTERS_APART = tuple((b" " * gap + b"a") * 3 + b" " for gap in range(1, GAP + 1))

# Two copies that agree only on letters: a byte equals its left neighbour's copy only where a letter is doubled.
_FOLD = bytes.maketrans(string.ascii_uppercase.encode(), string.ascii_lowercase.encode())
_OURS = bytes(_FOLD[byte] if byte in _LETTERS else 0xFF for byte in range(256))
_NEIGHBOURS = bytes(_FOLD[byte] if byte in _LETTERS else 0xFE for byte in range(256))


def hints(text: str) -> int:
    """What the steps may find in this text, as bits: a clear bit rules something out, a set bit is a reason to look.

    Takes time linear in the text's length.
    """
    encoded = text.encode("latin-1", "replace")
    found = NOTHING
    if ("&" in text or "<" in text or "[/" in text) and _MARKUP.search(text):
        found |= MARKUP
    if (not text.isascii() or encoded.translate(None, _PLAIN)) and _is_unusual(text):
        found |= UNUSUAL
    if _has_signs(encoded):
        found |= SIGNS
    if _has_letters_apart(encoded):
        found |= APART
    if found & UNUSUAL:
        # Letters outside Latin-1 can be set apart or drawn out as well.
        found |= APART | DRAWN_OUT
    elif _drawn_out(encoded):
        found |= DRAWN_OUT
    return found


def _has_signs(encoded: bytes) -> bool:
    inside, edges = encoded.translate(_INSIDE), encoded.translate(_EDGES)
    return (
        any(map(inside.__contains__, _INSIDE_WORDS)) or any(map(edges.__contains__, _AT_THEIR_EDGES)) or b"$" in encoded
    )


def _has_letters_apart(encoded: bytes) -> bool:
    apart = b" " + encoded.translate(_APART) + b" "
    return any(map(apart.__contains__, _LETTERS_APART))


def _is_unusual(text: str) -> bool:
    return _UNUSUAL.search(text) is not None and _UNUSUAL.search(_SELECTED_EMOJI.sub("", text)) is not None


def _drawn_out(encoded: bytes) -> bool:
    """Whether any letter appears three times in a row, in any case.

    As integers, the text and the text shifted by one byte are compared in one operation: equal letters give a zero
    byte, and two adjacent zero bytes are three letters.
    """
    ours = int.from_bytes(encoded.translate(_OURS), "big")
    neighbours = int.from_bytes(encoded.translate(_NEIGHBOURS), "big") >> 8
    return b"\0\0" in (ours ^ neighbours).to_bytes(len(encoded), "big")
