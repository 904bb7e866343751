"""How the demo shows outcomes: a live table on a terminal, plain lines elsewhere, or the events unchanged."""

import sys
from typing import Protocol, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from worker.demo.closing import Closing
from worker.demo.pace import Pace
from worker.demo.tally import Tally
from worker.kafka.dead_letters.reader import DeadLetter
from worker.kafka.outcome_reader import Published
from worker.protocols import Clock
from worker.terminal.columns import WIDE
from worker.terminal.rendering import counted, dead_letter_line, event_line, heading_line

_BAR_CELLS = 30


class Display(Protocol):
    """Shows what happens in the demo."""

    def status(self, what: str) -> None:
        """Show what the demo is waiting for."""

    def show(self, outcome: Published | DeadLetter) -> None:
        """Show an outcome; called once for each."""

    def refresh(self, tally: Tally) -> None:
        """Bring what is shown up to date; called regularly, and after outcomes."""

    def finish(self, tally: Tally) -> None:
        """Show the summary; the demo is over."""


class JsonLines:
    """Label events on standard output as they were published, one a line; everything else goes to standard error."""

    def __init__(self, output: TextIO, errors: TextIO) -> None:
        self._output = output
        self._errors = errors

    def status(self, what: str) -> None:
        """Write it to standard error."""
        print(what, file=self._errors, flush=True)

    def show(self, outcome: Published | DeadLetter) -> None:
        """Write an event, or a line about a dead letter to standard error."""
        if isinstance(outcome, DeadLetter):
            print(dead_letter_line(outcome), file=self._errors, flush=True)
        else:
            self._output.write(outcome.value.decode() + "\n")

    def refresh(self, tally: Tally) -> None:
        """Flush, so that a reader at the other end of a pipe sees every outcome."""
        del tally
        self._output.flush()

    def finish(self, tally: Tally) -> None:
        """Write the summary to standard error."""
        print("\n".join([summary(tally), *labels_given(tally)]), file=self._errors, flush=True)


class PlainLines:
    """One line for each outcome, what the topics hold, and a summary."""

    def __init__(self, output: TextIO, closing: Closing) -> None:
        self._output = output
        self._closing = closing

    def status(self, what: str) -> None:
        """Write it as a line."""
        print(what, file=self._output, flush=True)

    def show(self, outcome: Published | DeadLetter) -> None:
        """Write one line, the first with a heading."""
        if self._closing.specimens.is_first(outcome):
            print(heading_line(), file=self._output)
        line = dead_letter_line(outcome) if isinstance(outcome, DeadLetter) else event_line(outcome.event)
        self._output.write(line + "\n")

    def refresh(self, tally: Tally) -> None:
        """Flush, so that a reader at the other end of a pipe sees every outcome."""
        del tally
        self._output.flush()

    def finish(self, tally: Tally) -> None:
        """Write what the topics hold, the summary, and what to do next."""
        lines = ["", *self._closing.specimens_shown(WIDE), summary(tally), *labels_given(tally)]
        if tally.outcomes:
            lines += ["", *self._closing.next_steps()]
        print("\n".join(lines), file=self._output, flush=True)


class LiveTable:
    """Outcomes that scroll by above a fixed table of labels and rates.

    The first outcomes are all shown. Then a few each second are: more would scroll by unread.
    """

    def __init__(self, console: Console, closing: Closing, clock: Clock) -> None:
        self._console = console
        self._closing = closing
        self._pace = Pace(clock)
        self._status = Text("")
        self._live = Live(self._status, console=console, refresh_per_second=4, transient=True)
        self._live.start()

    def status(self, what: str) -> None:
        """Show it below the table."""
        self._live.update(Text(what, style="dim"))

    def show(self, outcome: Published | DeadLetter) -> None:
        """Print one line above the table, unless too many came just before; the first with a heading."""
        if self._closing.specimens.is_first(outcome):
            self._print(heading_line(self._console.width), style="dim")
        if not self._pace.takes():
            return
        if isinstance(outcome, DeadLetter):
            line, style = dead_letter_line(outcome), "yellow"
        else:
            line, style = event_line(outcome.event, self._console.width), "red" if outcome.event.flagged else ""
        # As text, not as markup, because a comment may hold [brackets]; cropped, so that one comment is one line.
        self._console.print(Text(line, style=style), no_wrap=True, overflow="ellipsis", crop=True)

    def refresh(self, tally: Tally) -> None:
        """Redraw the table."""
        if tally.outcomes:
            note = f"all are counted, {Pace.ROWS_A_SECOND} a second shown; Ctrl-C ends it" if self._pace.slowed else ""
            self._live.update(
                Group(_table(tally), Text(summary(tally), style="bold"), *([Text(note, style="dim")] if note else []))
            )

    def finish(self, tally: Tally) -> None:
        """Leave what the topics hold, the final table and what to do next on the screen."""
        self._live.stop()
        if tally.outcomes:
            self._print("", *self._closing.specimens_shown(self._console.width), style="dim")
            self._console.print(_table(tally))
        self._print(summary(tally), style="bold")
        if tally.outcomes:
            self._print("", *self._closing.next_steps(), style="")

    def _print(self, *lines: str, style: str) -> None:
        for line in lines:
            self._console.print(Text(line, style=style), highlight=False)


def summary(tally: Tally) -> str:
    """One line: comments, flagged, dead letters, time and rate."""
    parts = [
        f"{tally.comments} comments labelled, {tally.flagged} flagged, {counted(tally.dead_letters, 'dead letter')}"
    ]
    if tally.seconds:
        parts.append(f"{tally.seconds:.1f} s, {tally.rate:.0f} comments/s, {tally.tokens / tally.seconds:.0f} tokens/s")
    return "; ".join(parts)


def labels_given(tally: Tally) -> list[str]:
    """A line of labels and how often each was given; none where there is no label."""
    given = ", ".join(f"{label} {count}" for label, count in tally.labels.most_common())
    return [f"labels: {given}"] if given else []


def choose_display(closing: Closing, clock: Clock, *, as_json: bool) -> Display:
    """The display that suits the target of standard output."""
    if as_json:
        return JsonLines(sys.stdout, sys.stderr)
    if sys.stdout.isatty():
        return LiveTable(Console(), closing, clock)
    return PlainLines(sys.stdout, closing)


def _table(tally: Tally) -> Table:
    table = Table("label", "comments", "share", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for label, count in tally.labels.most_common():
        share = count / max(1, tally.comments)
        table.add_row(label, str(count), Text("█" * round(share * _BAR_CELLS) + f" {share:.0%}"))
    return table
