"""Agreement with what people mark, by the shared task's measure, and which comments are kept apart."""

import json
from pathlib import Path

import pytest

from training.data import DataFault
from training.marked_spans import Place, character_f1, read_marked
from training.sources import is_kept


@pytest.mark.parametrize(
    ("found", "marked", "f1"),
    [
        ([], [], 1.0),
        ([(0, 3)], [], 0.0),
        ([], [(0, 3)], 0.0),
        ([(0, 3)], [(0, 3)], 1.0),
        ([(0, 4)], [(2, 4)], 2 * 2 / (4 + 2)),
        ([(0, 4), (2, 6)], [(0, 6)], 1.0),
        ([(0, 2)], [(5, 7)], 0.0),
    ],
)
def test_agreement_is_f1_over_characters_and_whole_where_both_are_empty(
    found: list[Place], marked: list[Place], f1: float
) -> None:
    assert character_f1(found, marked) == pytest.approx(f1)


def test_a_tenth_is_kept_apart_and_no_text_is_in_both_parts(tmp_path: Path) -> None:
    texts = [f"comment {number}" for number in range(400)]
    rows = "".join(f'{text},"{json.dumps([[0, 7]])}"\n' for text in texts)
    (tmp_path / "spans.csv").write_text("text,spans\n" + rows, encoding="utf-8")
    kept = read_marked(tmp_path / "spans.csv", kept=True)
    others = read_marked(tmp_path / "spans.csv", kept=False)
    assert sorted(one.text for one in [*kept, *others]) == sorted(texts)
    assert all(is_kept(one.text) for one in kept)
    assert 10 < len(kept) < 90
    assert kept[0].spans == ((0, 7),)


def test_a_file_without_spans_is_refused(tmp_path: Path) -> None:
    (tmp_path / "spans.csv").write_text("text,places\nx,[]\n", encoding="utf-8")
    with pytest.raises(DataFault, match="spans"):
        [*read_marked(tmp_path / "spans.csv", kept=True), *read_marked(tmp_path / "spans.csv", kept=False)]
