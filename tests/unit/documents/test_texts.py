"""A text is what a reader sees: of one field or several, written plainly or with markup."""

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testkit.records import ASSIGNMENT, record
from worker.documents.texts import joiner
from worker.documents.unreadable import Unreadable
from worker.events.decoding import Decoder
from worker.settings import InputSettings
from worker.types import Comment, Rejected

TWO = InputSettings(text_pointer=["/title", "/body"])
READ_HTML = joiner(InputSettings(text_format="html"))
READ_MARKDOWN = joiner(InputSettings(text_format="markdown"))


def decoded(settings: InputSettings, **fields: Any) -> Any:
    return Decoder(settings).decode(record(json.dumps({"id": "1", **fields}).encode()), ASSIGNMENT)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"title": "Hello", "body": "you"}, "Hello\nyou"),
        ({"title": "Hello"}, "Hello"),
        ({"title": None, "body": "you"}, "you"),
        ({"title": "", "body": "you"}, "you"),
        ({"title": "", "body": ""}, ""),
    ],
)
def test_several_texts_are_joined_and_those_that_lack_are_left_out(fields: dict[str, Any], text: str) -> None:
    assert decoded(TWO, **fields).text == text


@pytest.mark.parametrize(
    ("fields", "error"),
    [({}, "TextMissing"), ({"title": None}, "TextMissing"), ({"title": "a", "body": 1}, "TextNotAString")],
)
def test_a_record_without_any_text_or_with_something_else_is_rejected(fields: dict[str, Any], error: str) -> None:
    outcome = decoded(TWO, **fields)
    assert isinstance(outcome, Rejected)
    assert outcome.error == error


def test_the_separator_is_a_setting() -> None:
    settings = InputSettings(text_pointer=["/title", "/body"], text_separator=" / ")
    assert decoded(settings, title="a", body="b").text == "a / b"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("st<b>u</b>pid", "stupid"),
        ("st<!-- x -->u<span></span>pid", "stupid"),
        ("<p>One</p><p>two</p>", "One\ntwo"),
        ("<div><p>One</p></div>two", "One\ntwo"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<ul><li>a</li><li>b</li></ul>c", "a\nb\nc"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a\nb"),
        ("fish &amp; chips &lt;3 &#128512; &eacute;", "fish & chips <3 \U0001f600 \u00e9"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("  a \n\t b  ", "a b"),
        ('<a href="https://x.example/idiot">you</a>', "you"),
        ('nice <img src="x.png" alt="dog"> dog', "nice dog dog"),
        ("a<script>var x = '<b>idiot</b>'</script>b<style>p {}</style>c", "abc"),
        ("<template>t</template><noscript>n</noscript><iframe>i</iframe>x", "x"),
        ("a<span hidden>b</span><i style='DISPLAY : none'>c</i><u style='visibility:hidden'>d</u>e", "ae"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<b>unclosed <i>tags", "unclosed tags"),
        ("a</p>b", "a\nb"),
        ("<title>t</title>", ""),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_html_is_read_as_a_browser_shows_it(html: str, text: str) -> None:
    assert READ_HTML([html]) == text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("st**u**pid and *so* on", "stupid and so on"),
        ("[you](https://x.example/idiot)", "you"),
        ("![a dog](x.png)", "a dog"),
        ("# Title\n\nbody", "Title\nbody"),
        ("* a\n* b", "a\nb"),
        ("~~no~~ `code`", "no code"),
        ("a <b>bold</b> word", "a bold word"),
        ("<div>\nblock\n</div>", "block"),
        ("<script>alert('x')</script>\n\na", "a"),
        ("&lt;3 \\*not\\*", "<3 *not*"),
        ("| a | b |\n|---|---|\n| c | d |", "a\nb\nc\nd"),
        ("> quoted\n\nanswer", "quoted\nanswer"),
        ("snake_case_name 2*3*4", "snake_case_name 234"),
        ("", ""),
    ],
)
def test_markdown_is_read_as_a_reader_sees_it(markdown: str, text: str) -> None:
    assert READ_MARKDOWN([markdown]) == text


def test_the_record_keeps_its_markup() -> None:
    outcome = decoded(InputSettings(text_format="html"), text="<b>hi</b>")
    assert isinstance(outcome, Comment)
    assert outcome.text == "hi"
    assert b"<b>hi</b>" in (outcome.record.value() or b"")


@pytest.mark.parametrize("text_format", ["html", "markdown"])
@pytest.mark.parametrize(
    ("text", "error"), [("a" * 200_000 + "<b>", "MarkupTooLong"), ("<b>" * 10_000 + "secret", "MarkupTooIntricate")]
)
def test_markup_beyond_the_limits_is_a_dead_letter(text_format: str, text: str, error: str) -> None:
    outcome = decoded(InputSettings(text_format=text_format), text=text)
    assert isinstance(outcome, Rejected)
    assert outcome.error == error
    assert "secret" not in outcome.reason


HOSTILE = {
    "deep blocks": "<div>" * 2000 + "x" + "</div>" * 2000,
    "deep formatting": "<a><b><i><font><p>" * 800,
    "tables": "<table><tr><td>" * 1300,
    "templates": "<template>" * 4000,
    "open comments": "<!--" * 4000,
    "open declarations": "<![CDATA[" * 4000,
    "brackets": "[" * 130_000,
    "images": "![" * 65_000,
    "stars": "*a" * 65_000,
    "mixed emphasis": "a**b" + "c* " * 40_000,
    "backticks": " ".join("`" * length for length in range(1, 500)),
    "quotes": ">" * 130_000,
    "entities": "&amp" * 30_000,
}
SECONDS = 20.0
"""Of processor time. A reader that needs quadratic time takes minutes."""


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("read", [READ_HTML, READ_MARKDOWN], ids=["html", "markdown"])
def test_hostile_markup_is_read_or_refused_in_bounded_time(read: Any, kind: str) -> None:
    started = time.process_time()
    with contextlib.suppress(Unreadable):
        read([HOSTILE[kind]])
    assert time.process_time() - started < SECONDS


PIECES = st.sampled_from(
    [
        *"<>&=\"'*_`[)!#|\nx\u0000\u202e\U0001f600",
        *("</", "/>", "<b>", "</b>", "<p", "<!--", "-->", "<script>", "</script>", "&amp;", "&#x0;", "&#xd800;"),
        *("](", "    ", "> ", "<svg>", "<math>", "<select>", "<table>", "<template>", "<frameset>", "<plaintext>"),
    ]
)


@given(st.lists(PIECES | st.text(max_size=4), max_size=40).map("".join))
def test_whatever_the_markup_a_text_comes_out_that_can_be_written(markup: str) -> None:
    for read in (READ_HTML, READ_MARKDOWN):
        text = read([markup])
        assert text == text.encode().decode()
        assert "\x00" not in text or "\x00" in markup


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="<>&"), max_size=60))
def test_a_text_without_markup_keeps_its_words(text: str) -> None:
    assert READ_HTML([text]).split() == text.split()
