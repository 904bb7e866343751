"""The demo ends with an event and a dead letter as they are, what to do next, and what the model can't do."""

import json

from testkit.clock import FakeClock
from testkit.outcomes import letter, published
from testkit.records import record
from worker.demo.closing import Closing
from worker.demo.pace import Pace
from worker.settings import Settings


def closing(*, own_file: bool = False, model: str = "sluice-mini") -> Closing:
    settings = Settings.model_validate({"model": {"id": model}})
    found = Closing(settings, own_file=own_file)
    bad = record(b'{"id": "c-bad"}', headers=[("__connect.errors.stage", b"VALIDATE")])
    for outcome in (published(0, 0), published(0, 1, "toxic"), letter(0, 2)._replace(record=bad)):
        found.specimens.is_first(outcome)
    return found


def test_the_event_is_whole_and_can_be_read_as_json() -> None:
    lines = closing().specimens_shown(10_000)
    start, end = lines.index("one label event, as it stands in comment-labels:"), lines.index("")
    assert json.loads("".join(lines[start + 1 : end]))["labels"] == ["toxic"]


def test_the_dead_letter_shows_its_bytes_and_why() -> None:
    text = "\n".join(closing().specimens_shown(80))
    assert '  value    {"id": "c-bad"}' in text
    assert "  header   __connect.errors.stage: VALIDATE" in text


def test_lines_fit_a_narrow_terminal_but_for_words_that_have_no_gap() -> None:
    shown = [line for line in closing().specimens_shown(40) if line.startswith(("{", " "))]
    assert [line for line in shown if len(line) > 40] == [line for line in shown if "sha256:" in line]


def test_it_says_what_to_do_next_and_which_language_the_model_reads() -> None:
    lines = "\n".join(closing().next_steps())
    assert "next:  sluice classify" in lines
    assert "sluice demo --input" in lines
    assert "English only" in lines


def test_a_model_of_ones_own_is_not_called_english_and_an_own_file_not_recommended_again() -> None:
    lines = "\n".join(closing(own_file=True, model="./mine").next_steps())
    assert "English" not in lines
    assert "--input" not in lines


def test_only_the_first_outcome_is_the_first() -> None:
    found = Closing(Settings(), own_file=False)
    assert [found.specimens.is_first(published(0, offset)) for offset in range(3)] == [True, False, False]


def test_an_endless_demo_shows_the_first_screens_and_then_what_can_be_read() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    assert all(pace.takes() for _ in range(Pace.ALL_OF_THE_FIRST))
    shown = 0
    for _ in range(4000):  # ten seconds at 400 a second
        clock.advance(1 / 400)
        shown += pace.takes()
    assert 25 <= shown <= 31
    assert pace.slowed
