"""The canonical reading is scored beside the text when it has other tokens, and each label keeps its higher score."""

from pathlib import Path

import pytest

from worker.classifier import Classifier
from worker.classifier.text.canonical import canonical
from worker.types import ViewFacts

PLAIN = "you are a stupid person"
DISGUISED = "you are a s t u p i d person"
DRAWN_OUT = "you are a stuuuupid person"
TOLERANCE = 2e-6


@pytest.fixture
def raw(bert: Path) -> Classifier:
    """Scores texts as they are written only."""
    return Classifier.load(str(bert), precision="float32", canonical_view=False)


def test_each_label_has_the_higher_score_of_both_readings(classifier: Classifier, raw: Classifier) -> None:
    written, read = raw.classify([DISGUISED, PLAIN])

    (found,) = classifier.classify([DISGUISED])

    for label, score in found.scores.items():
        assert score == pytest.approx(max(written.scores[label], read.scores[label]), abs=TOLERANCE)
    assert found.labels == tuple(
        label for label, score in found.scores.items() if score >= classifier.thresholds.values[label]
    )


def test_a_text_with_nothing_to_undo_is_read_once(classifier: Classifier, raw: Classifier) -> None:
    (found,) = classifier.classify([PLAIN])

    assert found.view is None
    assert found == raw.classify([PLAIN])[0]
    assert classifier.counters.viewed_texts == 0


def test_the_facts_of_the_text_are_those_of_the_text_as_written(classifier: Classifier, raw: Classifier) -> None:
    (written,) = raw.classify([DISGUISED])
    (read,) = raw.classify([PLAIN])

    (found,) = classifier.classify([DISGUISED])

    assert found.text == written.text
    assert found.view == ViewFacts(("spaced",), read.text.tokens)


def test_a_batch_counts_the_tokens_of_both_readings(classifier: Classifier) -> None:
    (encoded,) = classifier.encode([DISGUISED])

    assert encoded.view is not None
    assert encoded.tokens == sum(map(len, encoded.windows)) == encoded.facts.tokens + encoded.view.tokens
    classifier.score([encoded])
    assert classifier.counters.computed_tokens == encoded.tokens
    assert classifier.facts().windows == 2
    assert classifier.facts().viewed_texts == 1


def test_a_reading_with_the_same_tokens_is_not_scored(classifier: Classifier) -> None:
    """An uncased BERT vocabulary drops zero-width characters itself."""
    hidden = "you are a stu\u200bpid person"
    assert canonical(hidden).transforms == ("invisible",)

    (encoded,) = classifier.encode([hidden])

    assert encoded.view is None
    assert len(encoded.windows) == 1


def test_a_view_does_not_depend_on_the_rest_of_its_batch(classifier: Classifier) -> None:
    alone = classifier.classify([DISGUISED])[0]

    among = classifier.classify([PLAIN, DRAWN_OUT, DISGUISED, PLAIN * 20, DISGUISED])

    for found in (among[2], among[4]):
        assert found.view == alone.view
        assert found.scores == pytest.approx(alone.scores, abs=TOLERANCE)


def test_recent_scores_are_those_of_both_readings(bert: Path) -> None:
    classifier = Classifier.load(str(bert), precision="float32", cache_entries=2)
    (first,) = classifier.classify([DISGUISED])

    (again,) = classifier.classify([DISGUISED])

    assert again == first
    assert classifier.counters.cache_hits == 1
    assert classifier.encode([DISGUISED])[0].tokens == 0


def test_each_reading_of_a_long_text_has_its_own_windows(bert: Path) -> None:
    classifier = Classifier.load(
        str(bert), precision="float32", max_window_tokens=16, max_windows=2, window_overlap_tokens=0
    )

    (encoded,) = classifier.encode(["s t u p i d " * 40])

    assert encoded.view is not None
    assert encoded.facts.windows == 2
    assert encoded.facts.truncated
    assert len(encoded.windows) == 4


def test_the_view_is_on_unless_a_setting_says_no(classifier: Classifier, raw: Classifier) -> None:
    assert classifier.view == "canonical@1"
    assert raw.view is None
    assert raw.classify([DISGUISED])[0].view is None
