"""Texts come from anything that holds strings, and what is not a text is named by its position and type."""

from typing import Any

import pytest

from testkit.checkpoints import SENTENCES
from worker.classifier import Classifier
from worker.classifier.classifier import CLASSIFY_TEXTS
from worker.classifier.text.texts import each_text


class Table:
    """A frame: iterating over it gives the names of its columns."""

    columns = ("id", "text")

    def __iter__(self) -> Any:
        return iter(self.columns)


def test_a_string_is_one_text(classifier: Classifier) -> None:
    assert classifier.classify(SENTENCES[0]) == classifier.classify([SENTENCES[0]])


@pytest.mark.parametrize("kind", [list, tuple, iter, dict.fromkeys])
def test_any_iterable_gives_one_result_a_text(kind: Any, classifier: Classifier) -> None:
    expected = [result.labels for result in classifier.classify(SENTENCES)]
    texts = kind(SENTENCES)
    if isinstance(texts, dict):
        texts = texts.keys()
    assert [result.labels for result in classifier.classify(texts)] == expected


def test_a_generator_longer_than_a_part_is_read_to_its_end(classifier: Classifier) -> None:
    assert len(classifier.classify("short" for _ in range(CLASSIFY_TEXTS + 1))) == CLASSIFY_TEXTS + 1


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (None, "text 1 is a NoneType, not a string: a missing value"),
        (float("nan"), "text 1 is a float, not a string: a missing value"),
        (b"hello", "text 1 is a bytes, not a string: decode it"),
        (7, "text 1 is a int, not a string: convert it"),
    ],
)
def test_what_is_not_a_text_is_named_by_position_and_type(wrong: Any, says: str, classifier: Classifier) -> None:
    with pytest.raises(TypeError, match=says):
        classifier.classify(["fine", wrong])


@pytest.mark.parametrize("wrong", [{"text": "a"}, b"hello", Table()])
def test_a_table_or_a_mapping_is_not_read_as_its_names(wrong: Any) -> None:
    with pytest.raises(TypeError, match="give a string, or strings from a list or a column"):
        list(each_text(wrong))
