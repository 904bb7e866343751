"""How the demo shows outcomes: a live table on a terminal, plain lines elsewhere, or the events unchanged."""

import sys
from typing import Protocol, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from worker.demo.tally import Tally
from worker.kafka.dead_letters.reader import DeadLetter
from worker.kafka.outcome_reader import Published
from worker.terminal.rendering import dead_letter_line, event_line

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
        print(summary(tally), file=self._errors, flush=True)


class PlainLines:
    """One line for each outcome, and a summary."""

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def status(self, what: str) -> None:
        """Write it as a line."""
        print(what, file=self._output, flush=True)

    def show(self, outcome: Published | DeadLetter) -> None:
        """Write one line."""
        line = dead_letter_line(outcome) if isinstance(outcome, DeadLetter) else event_line(outcome.event)
        self._output.write(line + "\n")

    def refresh(self, tally: Tally) -> None:
        """Flush, so that a reader at the other end of a pipe sees every outcome."""
        del tally
        self._output.flush()

    def finish(self, tally: Tally) -> None:
        """Write the summary."""
        print(f"\n{summary(tally)}", file=self._output, flush=True)


class LiveTable:
    """Outcomes that scroll by above a fixed table of labels and rates."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = Text("")
        self._live = Live(self._status, console=console, refresh_per_second=4, transient=True)
        self._live.start()

    def status(self, what: str) -> None:
        """Show it below the table."""
        self._live.update(Text(what, style="dim"))

    def show(self, outcome: Published | DeadLetter) -> None:
        """Print one line above the table."""
        if isinstance(outcome, DeadLetter):
            line, style = dead_letter_line(outcome), "yellow"
        else:
            line, style = event_line(outcome.event), "red" if outcome.event.flagged else ""
        # As text, not as markup, because a comment may hold [brackets]; cropped, so that one comment is one line.
        self._console.print(Text(line, style=style), no_wrap=True, overflow="ellipsis", crop=True)

    def refresh(self, tally: Tally) -> None:
        """Redraw the table."""
        if tally.outcomes:
            self._live.update(Group(_table(tally), Text(summary(tally), style="bold")))

    def finish(self, tally: Tally) -> None:
        """Leave the final table on the screen."""
        self._live.stop()
        if tally.outcomes:
            self._console.print(_table(tally))
        self._console.print(Text(summary(tally), style="bold"))


def summary(tally: Tally) -> str:
    """One line: comments, flagged, dead letters, time and rate."""
    parts = [f"{tally.comments} comments labelled, {tally.flagged} flagged, {tally.dead_letters} dead letters"]
    if tally.seconds:
        parts.append(f"{tally.seconds:.1f} s, {tally.rate:.0f} comments/s, {tally.tokens / tally.seconds:.0f} tokens/s")
    given = ", ".join(f"{label} {count}" for label, count in tally.labels.most_common())
    return "; ".join(parts) + (f"\nlabels: {given}" if given else "")


def choose_display(*, as_json: bool) -> Display:
    """The display that suits the target of standard output."""
    if as_json:
        return JsonLines(sys.stdout, sys.stderr)
    if sys.stdout.isatty():
        return LiveTable(Console())
    return PlainLines(sys.stdout)


def _table(tally: Tally) -> Table:
    table = Table("label", "comments", "share", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for label, count in tally.labels.most_common():
        share = count / max(1, tally.comments)
        table.add_row(label, str(count), Text("█" * round(share * _BAR_CELLS) + f" {share:.0%}"))
    return table
