"""Text whose spelling must not change: URLs, email addresses, mentions and hashtags, paths, code in backquotes."""

import re
from bisect import bisect_right

_PROTECTED = re.compile(
    r"""
      (?:https?|ftp|file)://\S++
    | \bwww\.\S++
    | (?<!\S)[\w.+-]++@[\w-]++\.[\w.-]++
    | (?<![\w@])[@\#][A-Za-z_][\w.]{2,}+(?![@$!*])
    | (?<!\w)[\w-]{1,63}+(?:\.[\w-]{1,63}+){0,8}
      \.(?:com|org|net|edu|gov|io|info|uk|de|fr|eu|ru|html?|php|aspx?|png|jpe?g|gif|svg|pdf|js|py)\b\S*+
    | `[^`\n]++`
    """,
    re.VERBOSE | re.IGNORECASE,
)


class Protected:
    """The protected spans of one text."""

    def __init__(self, text: str) -> None:
        """Find them, in time linear in the length of the text."""
        self._spans = [match.span() for match in _PROTECTED.finditer(text)] if _MAY.search(text) else []

    def __contains__(self, position: int) -> bool:
        index = bisect_right(self._spans, (position, len(_MAY.pattern) + (1 << 62))) - 1
        return index >= 0 and position < self._spans[index][1]


_MAY = re.compile(r"[@#`/]|\.[A-Za-z]")
