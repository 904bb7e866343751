"""Writes many characters as the inside of a regular expression's character class."""

import re
from collections.abc import Iterable
from itertools import groupby


def character_class(characters: Iterable[str]) -> str:
    """These characters as ranges.

    `re` tests characters beyond U+FFFF one by one, so a class that lists a thousand mathematical letters costs
    microseconds for each character of a text.
    """
    codes = sorted(set(map(ord, characters)))
    ranges = []
    for _, run in groupby(enumerate(codes), lambda pair: pair[1] - pair[0]):
        found = [code for _, code in run]
        ranges.append(f"{re.escape(chr(found[0]))}-{re.escape(chr(found[-1]))}")
    return "".join(ranges)
