"""`sluice dead-letters` passes its filters to the reader, and shows what the headers hold."""

import argparse
from collections.abc import Iterator
from typing import Any

import pytest

from worker.commands import dead_letters
from worker.errors import SettingsInvalid
from worker.kafka.dead_letters import reader as dead_letter_reader
from worker.kafka.dead_letters import replay
from worker.kafka.dead_letters.reader import DeadLetter, Filter
from worker.kafka.dead_letters.replay import Replayed
from worker.settings import Settings

RECORD: Any = None
LETTER = DeadLetter(
    RECORD, "comments", "3", "17", "DECODE", "InvalidJson", "not JSON", "2026-11-22T12:00:00.000Z", "comments/3/17", 2
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Filter]:
    chosen: list[Filter] = []

    def read(_: Settings, wanted: Filter, **__: Any) -> Iterator[DeadLetter]:
        chosen.append(wanted)
        yield LETTER

    monkeypatch.setattr(dead_letter_reader, "read_dead_letters", read)
    return chosen


@pytest.fixture
def replays(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The arguments of each replay; only one without a filter moves the position."""
    asked: list[dict[str, Any]] = []

    def send_back(_: Settings, chosen: Filter, **how: Any) -> Replayed:
        asked.append({"chosen": chosen, **how})
        return Replayed(moves_position=chosen == Filter() and not how["dry_run"], replayed=7)

    monkeypatch.setattr(replay, "replay_dead_letters", send_back)
    return asked


def run(*arguments: str) -> None:
    parser = argparse.ArgumentParser()
    dead_letters.add_arguments(parser)
    dead_letters.run(parser.parse_args(arguments), Settings())


def test_without_filters_all_are_shown(asked: list[Filter], capsys: pytest.CaptureFixture[str]) -> None:
    run("show")
    assert asked == [Filter()]
    captured = capsys.readouterr()
    assert "comments/3/17" in captured.out
    assert "DECODE/InvalidJson: not JSON, replayed 2 times" in captured.out
    assert captured.err == "1 dead letter\n"


def test_filters_are_passed_to_the_reader_with_times_in_utc(asked: list[Filter]) -> None:
    run(
        "show",
        "--error",
        "InvalidJson",
        "--stage",
        "DECODE",
        "--since",
        "2026-11-22",
        "--until",
        "2026-11-22T13:00:00+01:00",
    )
    assert asked == [
        Filter(
            frozenset({"InvalidJson"}), frozenset({"DECODE"}), "2026-11-22T00:00:00.000Z", "2026-11-22T12:00:00.000Z"
        )
    ]


def test_an_invalid_time_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("show", "--since", "yesterday")
    assert "write a time such as" in capsys.readouterr().err


def test_a_replay_continues_where_the_last_one_ended_and_says_so(
    replays: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    run("replay")
    assert (replays[0]["chosen"], replays[0]["from_beginning"]) == (Filter(), False)
    output = capsys.readouterr().err
    assert output.startswith("7 sent back and acknowledged")
    assert "the next replay continues after these (group sluice-replay)" in output


def test_a_replay_from_the_beginning_is_requested(replays: list[dict[str, Any]]) -> None:
    run("replay", "--from-beginning")
    assert replays[0]["from_beginning"]


def test_a_replay_with_a_filter_says_that_the_position_did_not_move(
    replays: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    run("replay", "--error", "InvalidJson")
    assert len(replays) == 1
    assert "the position of group sluice-replay was not moved" in capsys.readouterr().err


def test_a_dry_run_does_not_mention_the_position(
    replays: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    run("replay", "--dry-run")
    assert len(replays) == 1
    output = capsys.readouterr().err
    assert "7 would be sent back" in output
    assert "position" not in output


def test_a_replay_passes_on_its_pace_and_its_limit(replays: list[dict[str, Any]]) -> None:
    run("replay", "--rate", "2.5", "--limit", "10")
    assert (replays[0]["rate"], replays[0]["limit"]) == (2.5, 10)


def test_a_summary_counts_by_stage_and_error(asked: list[Filter], capsys: pytest.CaptureFixture[str]) -> None:
    run("show", "--summary")
    assert asked == [Filter()]
    heading, line = capsys.readouterr().out.splitlines()
    assert heading.split() == ["stage", "error", "count", "first", "last"]
    assert line.split()[:5] == ["DECODE", "InvalidJson", "1", LETTER.failed_at, LETTER.failed_at]


@pytest.mark.usefixtures("asked")
def test_a_file_for_what_takes_none_is_refused_with_the_action_that_does() -> None:
    with pytest.raises(SettingsInvalid, match="dead-letters export"):
        run("show", "letters.jsonl")
    with pytest.raises(SettingsInvalid, match="name the file"):
        run("send")
