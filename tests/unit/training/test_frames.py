"""Frames read as written, fill as their grammar says, are held back whole, and hold none of the judges' sentences."""

import random
from collections import Counter
from pathlib import Path

import pytest

from testkit.common_sense import HARMLESS
from training.frames import Frame, FrameRow, find_leaks, make_lesson_rows, make_rows, read_fillers, read_frames
from training.frames.grammar import LESSONS, Line

JUDGED_BY = [*HARMLESS, "You are a stupid, idiotic jerk. I hate you.", "Thanks, that helped."]


def plain(text: str) -> str:
    return " ".join(text.casefold().split())


def write(folder: Path, text: str) -> list[Frame]:
    (folder / "some.txt").write_text(text, encoding="utf-8")
    return read_frames(folder)


def test_a_line_and_its_counterpart_are_one_frame_and_a_blank_line_parts_frames(tmp_path: Path) -> None:
    frames = write(tmp_path, "== denial\n+ a\ni b\n+ c\n+ d\n\ng e\n# why\n+ f\n")
    assert [tuple(line.pattern for line in frame.lines) for frame in frames] == [
        ("a", "b"), ("c",), ("d",), ("e",), ("f",),
    ]  # fmt: skip
    assert {frame.group for frame in frames} == {"denial"}


@pytest.mark.parametrize(("text", "complaint"), [("== x\n? a\n", "no known mark"), ("+ a\n", "before any heading")])
def test_a_line_that_means_nothing_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        write(tmp_path, text)


def test_slots_and_nested_choices_are_filled_and_a_backslash_keeps_a_bracket() -> None:
    line = Line("+", r"\[b\]{who}[.|, [old|new] {who}]")
    found = {line.fill({"who": ["Ann"]}, random.Random(seed)) for seed in range(60)}
    assert found == {"[b]Ann.", "[b]Ann, old Ann", "[b]Ann, new Ann"}


def test_a_slot_without_fillers_is_an_error() -> None:
    with pytest.raises(KeyError):
        Line("+", "{nobody}").fill({}, random.Random(1))


def test_every_frame_fills_to_plain_text_and_the_same_seed_gives_the_same_rows() -> None:
    rows = make_rows(1)
    assert rows == make_rows(1)
    assert len(rows) > 5000
    assert len({row.text for row in rows}) == len(rows)
    assert not [row.text for row in rows if "{" in row.text or "|" in row.text]


def test_about_a_fifth_of_the_frames_is_held_back_with_all_its_rows() -> None:
    frames = read_frames()
    assert 0.15 < sum(frame.held_back for frame in frames) / len(frames) < 0.25
    rows = make_rows(1, frames=[frame for frame in frames if frame.held_back])
    assert all(row.held_back for row in rows)


def test_neither_sort_outweighs_the_other() -> None:
    counts = Counter(row.harmless for row in make_rows(1) if not row.held_back)
    assert 0.6 < counts[True] / counts[False] < 1.7


def test_no_sentence_of_the_tests_is_learned_from() -> None:
    learned = {plain(row.text) for row in (*make_rows(1), *make_lesson_rows(1))}
    assert not learned & {plain(sentence) for sentence in JUDGED_BY}


def test_a_learned_row_has_no_held_back_sentence_for_company() -> None:
    held_back, learned = Line("+", "The kettle whistles."), Line("+", "The gate is open.")
    frames = [Frame("everyday", (Line("+", f"Sentence {number}."),)) for number in range(40)]
    frames += [Frame("everyday", (held_back,)), Frame("insults", (learned,))]
    rows = make_rows(1, frames=frames)
    held = {frame.lines[0].pattern.rstrip(".") for frame in frames if frame.held_back}
    assert held
    assert not [row.text for row in rows if not row.held_back and any(text in row.text for text in held)]


def test_lessons_are_many_frames_of_few_rows_that_are_all_learned_from() -> None:
    rows, frames = make_lesson_rows(1), read_frames(LESSONS)
    assert rows == make_lesson_rows(1)
    assert not any(row.held_back for row in rows)
    assert len(frames) > 350
    assert len(rows) / sum(len(frame.lines) for frame in frames) < 10
    assert not [row.text for row in rows if "{" in row.text or "|" in row.text]
    counts = Counter(row.harmless for row in rows)
    assert 0.6 < counts[True] / counts[False] < 1.7


def test_of_short_foreign_sentences_about_as_many_are_harmless_as_abusive() -> None:
    counts = Counter(row.harmless for row in make_lesson_rows(1) if row.group == "other languages")
    assert 0.8 < counts[True] / counts[False] < 1.8


def test_a_learned_row_that_resembles_a_held_back_one_is_found() -> None:
    def row(text: str) -> FrameRow:
        return FrameRow(text, "+", "everyday", held_back=False)

    test = [row("The old kettle whistles at noon."), row("Du Tropf")]
    alike = [row("lol the OLD kettle whistles at noon, every day"), row("du tropf!")]
    unlike = [row("The kettle is old."), row("Du bist kein Tropf"), row("At noon the whistle blows."), row("...")]
    assert find_leaks([*unlike, *alike], test) == alike


def test_words_of_other_languages_stand_where_a_word_may_be_unknown() -> None:
    texts = [row.text for row in make_rows(1, ["zxqvarro blimtusk ondelaver"])]
    assert any("zxqvarro" in text.lower() for text in texts)


def test_fillers_hold_no_word_twice() -> None:
    for fillers in (read_fillers(), read_fillers(LESSONS / "fillers.txt")):
        for name, values in fillers.items():
            assert len(set(values)) == len(values), name
