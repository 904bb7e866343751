"""What the demo leaves behind: a label event and a dead letter as they stand in their topics, and what to do next."""

import json
import textwrap
from collections.abc import Iterator

from worker.events.headers import headers_of
from worker.kafka.dead_letters.reader import DeadLetter
from worker.kafka.outcome_reader import Published
from worker.settings import Settings
from worker.terminal.columns import cut

MOST_TEXT = 60
"""A longer comment would hide the rest of its event."""

ENGLISH_ONLY = frozenset({"sluice-mini"})

_HEADERS = ("stage", "exception.class.name", "exception.message")


class Specimens:
    """Keeps the first flagged event of a short text, and the first dead letter."""

    def __init__(self) -> None:
        self.event: Published | None = None
        self.letter: DeadLetter | None = None
        self._begun = False

    def is_first(self, outcome: Published | DeadLetter) -> bool:
        """Whether no outcome came before this one, which is kept if it is the first of its kind."""
        first, self._begun = not self._begun, True
        if isinstance(outcome, DeadLetter):
            self.letter = self.letter or outcome
        elif self.event is None and outcome.event.flagged and len(_text(outcome)) <= MOST_TEXT:
            self.event = outcome
        return first


def _text(outcome: Published) -> str:
    return str(outcome.event.comment.get("text", ""))


class Closing:
    """The demo's last words.

    Args:
        settings: Name the topics and the model.
        own_file: Whether the comments were the user's own.
    """

    def __init__(self, settings: Settings, *, own_file: bool) -> None:
        self.specimens = Specimens()
        self._settings = settings
        self._own_file = own_file

    def specimens_shown(self, columns: int) -> list[str]:
        """An event and a dead letter as lines, each followed by a blank one."""
        return list(_specimen_lines(self.specimens, self._settings, columns))

    def next_steps(self) -> list[str]:
        """What to try now, as lines."""
        return list(_next_lines(self._settings, own_file=self._own_file))


def _specimen_lines(specimens: Specimens, settings: Settings, columns: int) -> Iterator[str]:
    """The event and the dead letter, as their topics hold them."""
    if specimens.event is not None:
        yield f"one label event, as it stands in {settings.output.topic}:"
        yield from _event_lines(specimens.event.value, columns)
        yield ""
    if specimens.letter is not None:
        letter = specimens.letter
        yield f"one dead letter, as it stands in {settings.dead_letters.topic}: the record's own bytes, and why"
        yield cut(f"  value    {(letter.record.value() or b'').decode(errors='replace')}", columns)
        for name, value in headers_of(letter.record):
            if name.endswith(_HEADERS):
                yield cut(f"  header   {name}: {(value or b'').decode(errors='replace')}", columns)
        yield ""


def _next_lines(settings: Settings, *, own_file: bool) -> Iterator[str]:
    """What to try now, and what not to expect of the embedded model."""
    if settings.model.id in ENGLISH_ONLY:
        yield f"{settings.model.id} reads English only; its card says what else it is bad at."
    yield 'next:  sluice classify "a text of your own"'
    if not own_file:
        yield "       sluice demo --input comments.csv     a file of your own"
    yield "       docs/tutorial.md                     your own Kafka, your own model"


def _event_lines(value: bytes, columns: int) -> Iterator[str]:
    """A field a line, wrapped: with an indent for each level it would be forty lines."""
    fields = json.loads(value)
    for number, (name, content) in enumerate(fields.items()):
        opening = "{" if number == 0 else " "
        closing = "}" if number == len(fields) - 1 else ","
        yield from textwrap.wrap(
            f"{json.dumps(name)}: {json.dumps(content, ensure_ascii=False)}{closing}",
            width=max(20, columns - 1),
            initial_indent=opening,
            subsequent_indent="    ",
            break_on_hyphens=False,
            break_long_words=False,  # JSON allows no line break within a string
        )
