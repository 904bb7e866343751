"""What a reader sees of a text in HTML.

The parser is selectolax's Lexbor, which builds the tree that browsers build (WHATWG HTML), whatever the markup. On a
short comment and on hostile markup it was compared with others: lxml is as fast and drops everything nested deeper than
255 levels; html5lib has had no release since 2020; BeautifulSoup is a layer over one of those; the standard library's
parser builds no tree and takes quadratic time for a run of `<!--`.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from worker.documents.unreadable import Unreadable
from worker.errors import SettingsInvalid

MOST_CHARACTERS = 131_072
MOST_TAGS = 4_096
"""A tree is built in quadratic time where tags nest deeply; with these limits the worst text takes about a second."""

_UNSEEN = frozenset(
    {
        "-comment", "audio", "canvas", "datalist", "head", "iframe", "noembed", "noframes", "noscript", "object",
        "script", "style", "template", "title", "video",
    }
)  # fmt: skip
_APART = frozenset(
    {
        "address", "article", "aside", "blockquote", "br", "caption", "center", "dd", "details", "dialog", "dir", "div",
        "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header",
        "hr", "legend", "li", "main", "menu", "nav", "ol", "optgroup", "option", "p", "pre", "section", "select",
        "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
    }
)  # fmt: skip
"""Elements whose text stands on lines, or in cells, of its own."""

_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\r\f\n]+")
_AROUND_LINES = re.compile(r" ?\n[ \n]*")


def html_reader(most_characters: int = MOST_CHARACTERS) -> Callable[[str], str]:
    """A function from HTML to the text that a browser shows; it raises `Unreadable` for markup beyond the limits.

    Tags within a word do not part it, blocks and cells stand on lines of their own, and white space counts as a browser
    counts it. Scripts, styles, comments and hidden elements are left out; images give their alternative text.

    Args:
        most_characters: Longest markup that is read.

    Raises:
        SettingsInvalid: selectolax is not installed.
    """
    try:
        from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415 - an extra
    except ImportError:
        message = "input.text_format = html needs the extra `markup`: pip install 'sluice-worker[markup]'"
        raise SettingsInvalid(message) from None

    def read(html: str) -> str:
        if "<" not in html and "&" not in html:
            return _BLANKS.sub(" ", html).strip(" ")
        check_length(html, most_characters)
        if (tags := html.count("<")) > MOST_TAGS:
            error = "MarkupTooIntricate"
            raise Unreadable(error, f"the markup has {tags} tags; at most {MOST_TAGS} are read")
        text = "".join(_pieces(LexborHTMLParser("<body>" + html).root))
        return _AROUND_LINES.sub("\n", re.sub(" +", " ", text)).strip(" \n")

    return read


def check_length(markup: str, most_characters: int) -> None:
    """Raise `Unreadable` for markup that would take too long to read."""
    if len(markup) > most_characters:
        error = "MarkupTooLong"
        raise Unreadable(error, f"the markup has {len(markup)} characters; at most {most_characters} are read")


def _pieces(root: Any) -> Iterator[str]:
    """The texts below a node, in order, with line ends around blocks; without recursion, since markup nests deeply."""
    node = root
    while node is not None:
        tag = node.tag
        if tag == "-text":
            yield _BLANKS.sub(" ", node.text_content or "")
            inner = None
        elif tag in _UNSEEN or _is_hidden(node):
            inner = None
        else:
            if tag in _APART:
                yield "\n"
            elif tag == "img":
                yield _BLANKS.sub(" ", node.attributes.get("alt") or "")
            inner = node.first_child
        if inner is not None:
            node = inner
            continue
        while node is not None and node.next is None:
            node = node.parent
            if node is not None and node.tag in _APART:
                yield "\n"
        node = node.next if node is not None else None


def _is_hidden(node: Any) -> bool:
    attributes = node.attributes
    return bool(attributes) and ("hidden" in attributes or bool(_HIDDEN.search(attributes.get("style") or "")))
