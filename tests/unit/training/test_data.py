"""Both layouts of the data are read alike, and clean comments get the weight of those that are missing."""

import csv
from pathlib import Path

import numpy as np
import pytest

from training.data import GATHERED_TEST_CLEAN, LABELS, DataFault, read_splits


def write(file: Path, header: list[str], rows: list[list[object]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(header)
        writer.writerows(rows)


def challenge(folder: Path, comments: int = 200) -> None:
    train = [[f"{i:016x}", f"line one\nof comment {i}", i % 2, 0, 0, 0, i % 2, 0] for i in range(comments)]
    write(folder / "train.csv", ["id", "comment_text", *LABELS], train)
    write(folder / "test.csv", ["id", "comment_text"], [["a", "scored"], ["b", "never scored"], ["c", "clean"]])
    labels: list[list[object]] = [["c", *[0] * 6], ["a", 1, 0, 1, 0, 0, 0], ["b", *[-1] * 6]]
    write(folder / "test_labels.csv", ["id", *LABELS], labels)


def gathered(folder: Path) -> None:
    rows: list[list[object]] = [["clean, with a comma", *[0] * 6], ["foul", 1, 0, 0, 0, 1, 0], ["ok", *[0] * 6]]
    for name in ("train", "validation", "test"):
        write(folder / f"{name}.csv", ["text", *LABELS], rows)


def test_the_challenges_files_are_joined_by_id_and_rows_never_scored_are_left_out(tmp_path: Path) -> None:
    challenge(tmp_path)
    test = read_splits(tmp_path).test
    assert test.texts == ["scored", "clean"]
    assert test.labels.tolist() == [[1, 0, 1, 0, 0, 0], [0] * 6]
    assert test.weights().tolist() == [1, 1]


def test_validation_is_drawn_from_the_challenges_train_split_the_same_way_each_time(tmp_path: Path) -> None:
    challenge(tmp_path)
    first, second = read_splits(tmp_path), read_splits(tmp_path)
    assert first.validation.texts == second.validation.texts
    assert 5 <= len(first.validation) <= 40
    assert not set(first.train.texts) & set(first.validation.texts)
    assert len(first.train) + len(first.validation) == 200
    assert first.validation.texts[0].startswith("line one\n")


def test_clean_test_comments_stand_for_all_that_were_not_gathered(tmp_path: Path) -> None:
    gathered(tmp_path)
    splits = read_splits(tmp_path)
    assert splits.test.weights().tolist() == [GATHERED_TEST_CLEAN / 2, 1, GATHERED_TEST_CLEAN / 2]
    assert splits.validation.weights().tolist() == [1, 1, 1]
    assert splits.train.labels.dtype == np.float32


@pytest.mark.parametrize(
    ("header", "row", "complaint"),
    [
        (["text", "toxic"], ["x", 1], "lacks the columns severe_toxic"),
        (["text", *LABELS], ["x", 2, 0, 0, 0, 0, 0], "other than 0, 1"),
        (["text", *LABELS], ["x", "yes", 0, 0, 0, 0, 0], "not all numbers"),
    ],
)
def test_a_file_that_is_no_labelled_data_is_refused(
    tmp_path: Path, header: list[str], row: list[object], complaint: str
) -> None:
    gathered(tmp_path)
    write(tmp_path / "train.csv", header, [row])
    with pytest.raises(DataFault, match=complaint):
        read_splits(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataFault, match=r"test\.csv"):
        read_splits(tmp_path)
