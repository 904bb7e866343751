"""Dead letters are read as they were written, and sent back a bounded number of times."""

import time

import pytest

from tests.contract.backend import PARTITIONS
from tests.contract.group import Group
from tests.kit.member import read_all
from worker.errors import Fatal
from worker.kafka.dead_letter_reader import DeadLetter, Filter, read_dead_letters
from worker.kafka.replay import replay_dead_letters
from worker.outcome import Assignment, Outcome, Record, Rejected, Stage
from worker.settings import Settings

EACH = 3


def reject(record: Record, assignment: Assignment) -> Outcome:
    error = "InvalidJson" if record.offset() == 0 else "TextMissing"
    return Rejected(record, assignment, Stage.DECODE, error, "a reason")


@pytest.fixture
def settings(group: Group) -> Settings:
    """Of a group that has rejected every record of its topic."""
    group.fill(EACH)
    member = group.join(judge=reject)
    member.consume(EACH * PARTITIONS)
    member.close()
    return group.settings()


def read(settings: Settings, chosen: Filter | None = None) -> list[DeadLetter]:
    return list(read_dead_letters(settings, chosen or Filter(), clock=time.monotonic))


def test_every_dead_letter_is_read_once(group: Group, settings: Settings) -> None:
    letters = read(settings)
    assert sorted(f"{letter.topic}/{letter.partition}/{letter.offset}" for letter in letters) == group.everything(EACH)
    assert {letter.record.value() for letter in letters} == {b"0", b"1", b"2"}


def test_a_filter_chooses(settings: Settings) -> None:
    assert len(read(settings, Filter(errors=frozenset({"InvalidJson"})))) == PARTITIONS
    assert len(read(settings, Filter(since="9999"))) == 0


def test_a_dry_run_sends_nothing(group: Group, settings: Settings) -> None:
    done = replay_dead_letters(settings, Filter(), clock=time.monotonic, dry_run=True)
    assert done.replayed == EACH * PARTITIONS
    assert len(read_all(group.backend.bootstrap_servers, group.input)) == EACH * PARTITIONS


def test_a_replayed_record_is_the_first_one_with_its_hops_counted(group: Group, settings: Settings) -> None:
    told: list[DeadLetter] = []
    chosen = Filter(errors=frozenset({"InvalidJson"}))
    done = replay_dead_letters(settings, chosen, clock=time.monotonic, progress=told.append)
    assert done.replayed == len(told) == PARTITIONS
    records = read_all(group.backend.bootstrap_servers, group.input)
    back = [m for m in records if m.headers()]
    assert len(records) == (EACH + 1) * PARTITIONS
    assert sorted(m.key() or b"" for m in back) == sorted(letter.record.key() or b"" for letter in told)
    for message in back:
        headers = dict(message.headers())
        assert headers.keys() == {"dlq.origin", "dlq.replay_count"}
        assert headers["dlq.replay_count"] == b"1"
        assert message.value() == b"0"


def test_a_record_goes_round_only_so_often(group: Group, settings: Settings) -> None:
    limited = settings.model_copy(update={"dead_letters": settings.dead_letters.model_copy(update={"max_replays": 1})})
    assert replay_dead_letters(limited, Filter(), clock=time.monotonic).replayed == EACH * PARTITIONS
    member = group.join(judge=reject)
    member.consume(EACH * PARTITIONS)
    member.close()
    again = replay_dead_letters(limited, Filter(), clock=time.monotonic, dry_run=True)
    assert (again.replayed, again.over_limit) == (
        EACH * PARTITIONS,
        EACH * PARTITIONS,
    )  # the old letters are still there
    origins = {letter.origin for letter in read(settings)}
    assert origins == set(group.everything(EACH))


def test_a_topic_that_does_not_exist_is_told(group: Group) -> None:
    settings = group.settings()
    missing = settings.dead_letters.model_copy(update={"topic": f"{group.dead_letters}-not"})
    with pytest.raises(Fatal, match="sluice topics"):
        read(settings.model_copy(update={"dead_letters": missing}))
