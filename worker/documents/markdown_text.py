"""What a reader sees of a text in Markdown.

cmark-gfm, GitHub's own, makes HTML of it (CommonMark, with tables, strikethrough and bare links), and that is read as
HTML is. It takes linear time on hostile texts; markdown-it-py took more than ten seconds for 200,000 brackets.
"""

from collections.abc import Callable

from worker.documents.html_text import MOST_CHARACTERS, check_length, html_reader
from worker.errors import SettingsInvalid

_EXTENSIONS = ["table", "strikethrough", "autolink"]
_GROWTH = 8
"""Times that a text may grow when it becomes HTML: `&` becomes five characters, `*a` many more."""


def markdown_reader() -> Callable[[str], str]:
    """A function from Markdown to the text that a reader sees; it raises `Unreadable` for texts beyond the limits.

    HTML within Markdown is read, too. The target of a link is not seen, its text is.

    Raises:
        SettingsInvalid: cmarkgfm or selectolax is not installed.
    """
    try:
        from cmarkgfm import markdown_to_html_with_extensions  # noqa: PLC0415 - an extra
        from cmarkgfm.cmark import Options  # noqa: PLC0415 - an extra
    except ImportError:
        message = "input.text_format = markdown needs the extra `markup`: pip install 'sluice-worker[markup]'"
        raise SettingsInvalid(message) from None
    read_html = html_reader(_GROWTH * MOST_CHARACTERS)
    # "Unsafe" HTML is kept, because it is not shown here, but read for its words.
    options = Options.CMARK_OPT_UNSAFE

    def read(markdown: str) -> str:
        check_length(markdown, MOST_CHARACTERS)
        return read_html(markdown_to_html_with_extensions(markdown, options, _EXTENSIONS))

    return read
