"""Markup that a page does not show: character references, inline tags, BBCode.

Only what is unmistakably markup counts: a reference ends in a semicolon (HTML 5 reads "&copy=" without one, which would
turn part of a URL's query into a sign), a tag has an HTML name and valid attributes, and a BBCode tag is closed
somewhere. `<` and `&` as people write them stay.
"""

import html
import re
from collections.abc import Iterator

from worker.classifier.text.canonical.reading import Edit

INLINE = (
    "a abbr b bdi bdo big cite code del dfn em font i ins kbd mark q s samp small span strike strong sub sup tt u var "
    "wbr"
)
BLOCK = "blockquote br center dd div dl dt h[1-6] hr li ol p pre table tbody td th thead tr ul"
BBCODE = "b center code color font i img quote s size spoiler sub sup u url"

_ATTRIBUTE = r"""\s++[a-z][a-z-]*+(?:\s*+=\s*+(?:"[^"<>]*+"|'[^'<>]*+'|[^\s<>"'=]++))"""
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TAG = re.compile(
    rf"</?(?:(?P<inline>{INLINE.replace(' ', '|')})|(?:{BLOCK.replace(' ', '|')}))(?:{_ATTRIBUTE})*+\s*+/?>",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--[^<>]*+>")
_BBCODE = re.compile(rf"\[(/?)({BBCODE.replace(' ', '|')})(?:=[^\[\]\n]{{1,200}})?\]", re.IGNORECASE)


def references(text: str) -> Iterator[Edit]:
    """Character references as the characters they stand for (HTML 5, section 13.5)."""
    for match in _REFERENCE.finditer(text):
        shown = html.unescape(match[0])
        if shown != match[0]:
            yield Edit(match.start(), match.end(), shown, "html_entity")


def tags(text: str) -> Iterator[Edit]:
    """HTML tags and comments: those within a line leave nothing behind, those between blocks leave a space."""
    found = [*_TAG.finditer(text), *_COMMENT.finditer(text)]
    for match in sorted(found, key=re.Match.start):
        between = match.re is _TAG and match["inline"] is None
        yield Edit(match.start(), match.end(), " " if between else "", "html_tag")


def bbcode(text: str) -> Iterator[Edit]:
    """BBCode tags whose closing tag is in the text: `a[i]` is an index unless `[/i]` appears somewhere."""
    found = list(_BBCODE.finditer(text))
    closed = {match[2].lower() for match in found if match[1]}
    for match in found:
        if match[2].lower() in closed:
            yield Edit(match.start(), match.end(), "", "bbcode")
