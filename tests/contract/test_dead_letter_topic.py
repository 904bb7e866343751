"""Dead letters are read as they were written, and replayed a limited number of times."""

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from testkit.kafka import Kafka
from testkit.member import produce
from testkit.topic_reader import committed_offsets, read_to_end
from tests.contract.backend import PARTITIONS
from tests.contract.group import Group
from worker.errors import Fatal
from worker.kafka.dead_letters import replay as replay_module
from worker.kafka.dead_letters.exported import export_line, read_corrected
from worker.kafka.dead_letters.reader import DeadLetter, Filter, read_dead_letters
from worker.kafka.dead_letters.replay import Replayed, replay_dead_letters
from worker.kafka.dead_letters.replay_position import ReplayPosition
from worker.kafka.dead_letters.returns import RefusedReturn, Returns
from worker.settings import Settings
from worker.types import Assignment, Outcome, Record, Rejected, Stage

EACH = 3


def reject(record: Record, assignment: Assignment) -> Outcome:
    error = "InvalidJson" if record.offset() == 0 else "TextMissing"
    return Rejected(record, assignment, Stage.DECODE, error, "a reason")


@pytest.fixture
def settings(group: Group) -> Settings:
    """Settings of a group that has rejected every record of its topic."""
    group.fill(EACH)
    member = group.join(judge=reject)
    member.consume(EACH * PARTITIONS)
    member.close()
    return group.settings()


def read(settings: Settings, chosen: Filter | None = None) -> list[DeadLetter]:
    return list(read_dead_letters(settings, chosen or Filter(), clock=time.monotonic))


def replay(settings: Settings, chosen: Filter | None = None, **how: Any) -> Replayed:
    return replay_dead_letters(
        settings, chosen or Filter(), clock=time.monotonic, sleep=time.sleep, uniform=random.uniform, **how
    )


def returned(group: Group) -> int:
    """How many records were sent back."""
    return len(read_to_end(group.backend.bootstrap_servers, group.input)) - EACH * PARTITIONS


def position(group: Group) -> dict[int, int]:
    return committed_offsets(group.backend.bootstrap_servers, f"{group.name}-replay", group.dead_letters)


def ends(group: Group) -> dict[int, int]:
    letters = read_to_end(group.backend.bootstrap_servers, group.dead_letters)
    return {m.partition(): m.offset() + 1 for m in letters}


def test_every_dead_letter_is_read_once(group: Group, settings: Settings) -> None:
    letters = read(settings)
    assert sorted(f"{letter.topic}/{letter.partition}/{letter.offset}" for letter in letters) == group.everything(EACH)
    assert {letter.record.value() for letter in letters} == {b"0", b"1", b"2"}


def test_a_filter_selects(settings: Settings) -> None:
    assert len(read(settings, Filter(errors=frozenset({"InvalidJson"})))) == PARTITIONS
    assert len(read(settings, Filter(since="9999"))) == 0


def test_a_dry_run_sends_nothing(group: Group, settings: Settings) -> None:
    done = replay(settings, dry_run=True)
    assert done == Replayed(moves_position=False, replayed=EACH * PARTITIONS)
    assert returned(group) == 0
    assert position(group) == {}


def test_a_letter_is_replayed_once_unless_requested_again(group: Group, settings: Settings) -> None:
    assert replay(settings).moves_position
    assert position(group) == ends(group)
    assert replay(settings).replayed == 0
    assert replay(settings, dry_run=True).replayed == 0
    assert returned(group) == EACH * PARTITIONS
    assert len(read(settings)) == EACH * PARTITIONS, "they are still shown"
    assert replay(settings, from_beginning=True).replayed == EACH * PARTITIONS
    assert replay(settings, Filter(since="2000")).replayed == EACH * PARTITIONS
    assert returned(group) == 3 * EACH * PARTITIONS


def test_what_a_filter_leaves_out_can_still_be_replayed(group: Group, settings: Settings) -> None:
    done = replay(settings, Filter(errors=frozenset({"InvalidJson"})))
    assert done == Replayed(moves_position=False, replayed=PARTITIONS)
    assert position(group) == {}
    assert replay(settings).replayed == EACH * PARTITIONS
    assert replay(settings, Filter(errors=frozenset({"InvalidJson"}))).replayed == 0


def test_the_position_stays_before_unacknowledged_records(
    group: Group, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_module, "_ACKNOWLEDGED_TOGETHER", 1)
    settle = Returns.settle
    settled: list[dict[int, int]] = []

    def fail_the_third(returns: Returns) -> list[RefusedReturn]:
        left = settle(returns)
        settled.append(position(group))
        if len(settled) == 3:
            message = "not acknowledged"
            raise Fatal(message)
        return left

    monkeypatch.setattr(Returns, "settle", fail_the_third)
    with pytest.raises(Fatal, match="not acknowledged"):
        replay(settings)
    assert [sum(each.values()) for each in settled] == [0, 1, 2], "it moves only after what it passes is settled"
    monkeypatch.undo()
    assert replay(settings).replayed == EACH * PARTITIONS - 2
    assert position(group) == ends(group)


def test_a_limited_replay_goes_on_where_the_last_one_stopped(group: Group, settings: Settings) -> None:
    everything = EACH * PARTITIONS
    assert replay(settings, limit=2).replayed == 2
    assert returned(group) == 2
    assert replay(settings, limit=1, rate=1000.0).replayed == 1
    assert replay(settings).replayed == everything - 3
    assert returned(group) == everything


def test_a_replay_keeps_to_its_rate(settings: Settings) -> None:
    slept: list[float] = []
    done = replay_dead_letters(
        settings, Filter(), clock=lambda: 0.0, sleep=slept.append, uniform=random.uniform, rate=4.0
    )
    assert done.replayed == EACH * PARTITIONS
    waits = [seconds for seconds in slept if seconds]
    assert waits == [0.25 * number for number in range(1, done.replayed)]  # on a clock that stands still


def test_a_replayed_record_has_its_own_time_again_where_the_letter_could_not_carry_it(group: Group) -> None:
    settings, servers = group.settings(), group.backend.bootstrap_servers
    headers = {"__connect.errors.topic": group.input.encode(), "dlq.original_timestamp": b"1600000000042"}
    produce(servers, group.dead_letters, [{"value": b"old", "headers": headers, "partition": 0}])
    assert replay(settings).replayed == 1
    (back,) = read_to_end(servers, group.input)
    assert back.timestamp()[1] == 1_600_000_000_042
    assert "dlq.original_timestamp" not in dict(back.headers() or [])


def test_exported_letters_that_were_corrected_go_back_to_their_topic(
    group: Group, settings: Settings, tmp_path: Path
) -> None:
    letters = read(settings)
    lines = [json.loads(export_line(letter, group.dead_letters)) for letter in letters]
    assert {line["value"] for line in lines} == {"0", "1", "2"}
    file = tmp_path / "corrected.jsonl"
    file.write_text("".join(json.dumps(line | {"value": "corrected"}) + "\n" for line in lines), encoding="utf-8")
    returns = Returns(settings)
    for record in read_corrected(file):
        returns.send_record(record)
    assert returns.settle() == []
    back = [m for m in read_to_end(group.backend.bootstrap_servers, group.input) if m.value() == b"corrected"]
    assert len(back) == EACH * PARTITIONS
    headers = dict(back[0].headers() or [])
    assert headers["dlq.replay_count"] == b"1"
    assert b"/" in (headers["dlq.origin"] or b"")
    assert not [name for name in headers if name.startswith("__connect")]


@pytest.mark.kafka
def test_a_letter_that_its_topic_refuses_is_left_and_named_and_the_others_go_back(
    kafka: Kafka, real_group: Group
) -> None:
    settings = real_group.settings()
    limited = kafka.create_topic(f"{real_group.input}-limited", 1, {"message.timestamp.after.max.ms": "3600000"})
    headers = {"__connect.errors.topic": limited.encode()}
    letters: list[dict[str, Any]] = [{"value": b"%d" % n, "headers": headers, "partition": 0} for n in range(5)]
    letters[1]["timestamp"] = int((time.time() + 172_800) * 1000)
    any_time = {"message.timestamp.after.max.ms": str(2**63 - 1)}
    dead = kafka.create_topic(f"{real_group.dead_letters}-any", 1, any_time)
    settings = settings.model_copy(update={"dead_letters": settings.dead_letters.model_copy(update={"topic": dead})})
    produce(real_group.backend.bootstrap_servers, dead, letters)
    done = replay(settings)
    assert done.replayed == 4
    (left,) = done.refused
    assert (left.topic, left.letter.record.offset()) == (limited, 1)
    assert left.reason.startswith("INVALID_TIMESTAMP")
    back = read_to_end(real_group.backend.bootstrap_servers, limited)
    assert sorted(m.value() or b"" for m in back) == [b"0", b"2", b"3", b"4"]
    assert replay(settings).replayed == 0  # the position has passed it


def test_the_position_of_an_earlier_topic_of_the_same_name_is_ignored(group: Group, settings: Settings) -> None:
    place = ReplayPosition(settings, clock=time.monotonic, sleep=time.sleep, uniform=random.uniform)
    place.move(dict.fromkeys(range(PARTITIONS), 10_000))
    place.close()
    assert replay(settings).replayed == EACH * PARTITIONS
    assert position(group).items() >= ends(group).items()


def test_a_replayed_record_is_the_original_with_its_replays_counted(group: Group, settings: Settings) -> None:
    shown: list[DeadLetter] = []
    chosen = Filter(errors=frozenset({"InvalidJson"}))
    done = replay(settings, chosen, progress=shown.append)
    assert done.replayed == len(shown) == PARTITIONS
    records = read_to_end(group.backend.bootstrap_servers, group.input)
    back = [m for m in records if m.headers()]
    assert len(records) == (EACH + 1) * PARTITIONS
    assert sorted(m.key() or b"" for m in back) == sorted(letter.record.key() or b"" for letter in shown)
    for message in back:
        headers = dict(message.headers())
        assert headers.keys() == {"dlq.origin", "dlq.replay_count"}
        assert headers["dlq.replay_count"] == b"1"
        assert message.value() == b"0"


def test_a_record_is_replayed_a_limited_number_of_times(group: Group, settings: Settings) -> None:
    limited = settings.model_copy(update={"dead_letters": settings.dead_letters.model_copy(update={"max_replays": 1})})
    assert replay(limited).replayed == EACH * PARTITIONS
    member = group.join(judge=reject)
    member.consume(EACH * PARTITIONS)
    member.close()
    again = replay(limited, dry_run=True)
    assert (again.replayed, again.over_limit) == (0, EACH * PARTITIONS)
    origins = {letter.origin for letter in read(settings)}
    assert origins == set(group.everything(EACH))


def test_a_missing_topic_is_named(group: Group) -> None:
    settings = group.settings()
    missing = settings.dead_letters.model_copy(update={"topic": f"{group.dead_letters}-not"})
    with pytest.raises(Fatal, match="sluice topics"):
        read(settings.model_copy(update={"dead_letters": missing}))
