"""Bytes of anybody's making, as characters that are safe to look at."""

import unicodedata

MOST = 300

_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
"""Categories of characters that show nothing, or turn what follows them around."""


def shown(value: bytes | None, most: int = MOST) -> str:
    r"""The first characters, with whatever is not UTF-8 or would not be seen as an escape.

    Control and format characters, among them those that turn the direction of text (Trojan Source, CVE-2021-42574), are
    written as `\u202e`; bytes that are not UTF-8 as `\xff`.
    """
    if value is None:
        return ""
    text = value[: 4 * most].decode(errors="backslashreplace")[:most]
    return "".join(f"\\u{ord(sign):04x}" if unicodedata.category(sign) in _HIDDEN else sign for sign in text)
