"""The classifier from outside: five lines, equal texts once, recent scores, counts."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from worker.classifier import Classifier
from worker.classifier.forward.forward import Marks
from worker.classifier.machine import hardware
from worker.errors import Poison
from worker.settings import ModelSettings
from worker.types import Classification, TextFacts, Unscorable

TEXT = "You are a stupid, idiotic jerk. I hate you."


class Watched:
    """A forward pass that notes what it is asked to compute."""

    def __init__(self, classifier: Classifier) -> None:
        self.windows: list[list[int]] = []
        forward = classifier._model.forward
        inner = forward.logits

        def logits(windows: Sequence[Sequence[int]], marks: Marks | None = None) -> torch.Tensor:
            self.windows.extend(list(window) for window in windows)
            return inner(windows, marks)

        forward.logits = logits  # type: ignore[method-assign] # that is the test


def test_five_lines_are_enough(bert: Path) -> None:
    classifier = Classifier.load(str(bert))
    for result in classifier.classify([TEXT]):
        assert len(result.scores) == 6
        assert set(result.labels) <= set(result.scores)


def test_settings_come_as_a_whole_by_name_or_both(bert: Path) -> None:
    settings = ModelSettings(id=str(bert), threshold=0.7)
    assert Classifier.load(settings).thresholds.name == "threshold@0.7"
    assert Classifier.load(settings, threshold=0.8).thresholds.name == "threshold@0.8"
    with pytest.raises(ValidationError):
        Classifier.load(str(bert), treshold=0.8)


def test_tokens_windows_and_truncation_are_reported(classifier: Classifier) -> None:
    (encoded,) = classifier.encode(["..."])
    assert encoded.tokens == 5
    assert classifier.classify(["..."])[0].text == TextFacts(5, 1, truncated=False)


def test_no_texts_and_an_empty_text_are_fine(classifier: Classifier) -> None:
    assert classifier.classify([]) == []
    assert classifier.classify([""])[0].text == TextFacts(2, 1, truncated=False)


def test_equal_texts_are_computed_once_and_all_answered(classifier: Classifier) -> None:
    watched = Watched(classifier)
    results = classifier.classify(["a", "b", "a", "a", "b"])
    assert len(watched.windows) == 2
    assert results[0] == results[2] == results[3]
    assert results[1] == results[4]
    assert classifier.counters.duplicate_texts == 3
    assert classifier.counters.texts == 5


def test_equal_texts_of_two_encodings_are_computed_once(classifier: Classifier) -> None:
    watched = Watched(classifier)
    first, second = classifier.score([*classifier.encode(["a"]), *classifier.encode(["a"])])
    assert first == second
    assert len(watched.windows) == 1


def test_recent_scores_answer_without_tokens_or_forward_pass(bert: Path) -> None:
    classifier = Classifier.load(str(bert), cache_entries=2)
    watched = Watched(classifier)
    first = classifier.classify(["a", "b"])
    assert [encoded.tokens for encoded in classifier.encode(["a", "c"])] == [0, 3]
    assert classifier.classify(["a", "b"]) == first
    assert len(watched.windows) == 2
    assert classifier.counters.cache_hits == 2
    classifier.classify(["c"])
    classifier.classify(["b"])
    assert len(watched.windows) == 3, "b was used later than a"
    classifier.classify(["a"])
    assert len(watched.windows) == 4, "a was unused for longest"


def test_a_text_scored_while_it_was_encoded_again_is_not_computed_twice(bert: Path) -> None:
    classifier = Classifier.load(str(bert), cache_entries=2)
    watched = Watched(classifier)
    early, late = classifier.encode(["a"]), classifier.encode(["a"])
    assert classifier.score(early) == classifier.score(late)
    assert len(watched.windows) == 1


def test_without_entries_nothing_is_kept(classifier: Classifier) -> None:
    watched = Watched(classifier)
    classifier.classify(["a"])
    classifier.classify(["a"])
    assert len(watched.windows) == 2
    assert classifier.counters.cache_hits == 0


def test_counters_count_what_was_computed(bert: Path) -> None:
    classifier = Classifier.load(str(bert), max_window_tokens=16, max_windows=2, window_overlap_tokens=0)
    classifier.classify(["...", "." * 20, "." * 100, "..."])
    counters = classifier.counters
    assert (counters.texts, counters.windows, counters.duplicate_texts) == (4, 5, 1)
    assert counters.computed_tokens == 5 + (20 + 4) + (28 + 4)
    assert counters.truncated_texts == 1
    assert classifier.padded_tokens > 0


def test_an_unscorable_text_is_a_value_for_score_and_stops_classify(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = classifier.encode(["bad"])[0].windows[0]
    inner = classifier._model.forward.logits

    def logits(windows: Sequence[Sequence[int]], marks: Marks | None = None) -> torch.Tensor:  # noqa: ARG001 - as the real one is called
        result = inner(windows)
        result[[index for index, window in enumerate(windows) if list(window) == broken]] = float("nan")
        return result

    monkeypatch.setattr(classifier._model.forward, "logits", logits)
    good, bad = classifier.score(classifier.encode(["good", "bad"]))
    assert isinstance(good, Classification)
    assert isinstance(bad, Unscorable)
    assert classifier.counters.unscorable_texts == 1
    with pytest.raises(Poison, match="text 1 cannot be scored") as caught:
        classifier.classify(["good", "bad"])
    assert "bad" not in str(caught.value)


def test_a_long_list_keeps_its_order(classifier: Classifier) -> None:
    texts = [f"{'. ' * (index % 7)}{index}" for index in range(1100)]
    results = classifier.classify(texts)
    assert len(results) == len(texts)
    for index in (0, 1023, 1024, 1099):
        assert results[index].scores == pytest.approx(classifier.classify([texts[index]])[0].scores, abs=1e-5)


def test_batches_scored_side_by_side_have_the_verdicts_that_their_texts_get_alone(bert: Path) -> None:
    classifier = Classifier.load(str(bert), side_by_side=True, threads=2, cache_entries=0, precision="float32")
    assert classifier.lanes == 2
    texts = [f"{TEXT} {'and again ' * (number % 40)}{number}" for number in range(64)]
    alone = [classifier.classify(text)[0] for text in texts]
    batches = [texts[first : first + 8] for first in range(0, len(texts), 8)]
    with ThreadPoolExecutor(2) as lanes:
        scored = [result for batch in lanes.map(classifier.classify, batches) for result in batch]
    assert [result.labels for result in scored] == [result.labels for result in alone]
    for result, expected in zip(scored, alone, strict=True):
        assert result.scores == pytest.approx(expected.scores, abs=1e-4)
    assert classifier.counters.texts == 2 * len(texts)


def test_a_successor_has_as_many_lanes_although_those_of_the_first_compute_while_it_is_loaded(
    bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = torch.get_num_threads()
    monkeypatch.setattr(hardware, "available_cores", lambda: 2)
    hardware.threads_at_start.cache_clear()
    try:
        torch.set_num_threads(2)
        first = Classifier.load(str(bert), side_by_side=True)
        lanes: list[int] = []
        for work in (
            lambda: torch.set_num_threads(1),  # as a lane does for itself; a new thread is told the number set last
            lambda: lanes.append(Classifier.load(str(bert), side_by_side=True).lanes),
        ):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        assert [first.lanes, *lanes] == [2, 2]
    finally:
        hardware.threads_at_start.cache_clear()
        torch.set_num_threads(before)


def test_a_classifier_is_loaded_for_one_call_at_a_time(classifier: Classifier) -> None:
    assert classifier.lanes == 1
