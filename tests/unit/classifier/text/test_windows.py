"""Every token of a text is in a window, up to the cap, and truncation is always reported."""

from pathlib import Path

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from testkit.checkpoints import LABELS, reference_scores
from worker.classifier import Classifier
from worker.classifier.text.windows import WindowPlan

PLANS = st.builds(
    WindowPlan,
    prefix=st.just((101,)),
    suffix=st.sampled_from([(102,), (102, 102)]),
    max_tokens=st.integers(4, 40),
    overlap=st.integers(0, 60),
    max_windows=st.integers(1, 6),
)


@given(plan=PLANS, length=st.integers(0, 400))
def test_windows_cover_the_text_in_order_up_to_their_capacity(plan: WindowPlan, length: int) -> None:
    ids = list(range(1000, 1000 + length))
    windows = plan.windows(ids)
    inner = [window[1 : len(window) - len(plan.suffix)] for window in windows]
    assert all(
        window[:1] == [101] and tuple(window[len(window) - len(plan.suffix) :]) == plan.suffix for window in windows
    )
    assert all(len(window) <= plan.max_tokens for window in windows)
    assert 1 <= len(windows) <= plan.max_windows
    assert sorted({token for part in inner for token in part}) == ids[: plan.capacity]
    assert [part[0] for part in inner[1:]] == [1000 + plan.stride * (index + 1) for index in range(len(inner) - 1)]
    assert not any(set(inner[-1]) <= set(part) for part in inner[:-1]), "no window only repeats another"


@given(plan=PLANS, length=st.integers(1, 400))
def test_windows_cost_at_most_twice_the_text(plan: WindowPlan, length: int) -> None:
    windows = plan.windows(range(length))
    special = len(plan.prefix) + len(plan.suffix)
    assert sum(len(window) - special for window in windows) <= 2 * length + plan.content // 2


def test_a_plan_without_room_for_text_is_refused() -> None:
    with pytest.raises(ValueError, match="no text fits"):
        WindowPlan((1,), (2,), max_tokens=2, overlap=0, max_windows=1)


def test_a_text_without_tokens_has_a_window_only_where_there_are_special_tokens() -> None:
    assert WindowPlan((1,), (2,), max_tokens=8, overlap=0, max_windows=1).windows([]) == [[1, 2]]
    assert WindowPlan((), (), max_tokens=8, overlap=0, max_windows=1).windows([]) == []


def test_windows_are_those_of_transformers(bert: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(bert)
    text = "Nobody asked for your opinion, go away. " * 30
    expected = tokenizer(
        text, truncation=True, max_length=64, stride=16, return_overflowing_tokens=True, add_special_tokens=True
    )["input_ids"]
    classifier = Classifier.load(str(bert), max_window_tokens=64, window_overlap_tokens=16, max_windows=100)
    (encoded,) = classifier.encode([text])
    assert len(expected) > 3
    assert encoded.windows == [list(window) for window in expected]


def test_each_label_takes_its_highest_score_over_the_windows(bert: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(bert)
    text = "thanks for the edit, the garden is full of bees. " * 6 + "you are a stupid jerk. " * 6
    windows = tokenizer(text, truncation=True, max_length=32, stride=8, return_overflowing_tokens=True)["input_ids"]
    model = transformers.AutoModelForSequenceClassification.from_pretrained(bert, dtype=torch.float32).eval()
    with torch.inference_mode():
        expected = torch.stack([torch.sigmoid(model(torch.tensor([ids])).logits[0]) for ids in windows])
    assert len(set(expected.argmax(dim=0).tolist())) > 1, "different windows win different labels"
    classifier = Classifier.load(
        str(bert), precision="float32", max_window_tokens=32, window_overlap_tokens=8, max_windows=100
    )
    (result,) = classifier.classify([text])
    assert result.scores == pytest.approx(dict(zip(LABELS, expected.amax(dim=0).tolist(), strict=True)), abs=1e-5)
    assert result.text == (sum(map(len, windows)), len(windows), False)


def test_a_text_past_its_windows_is_truncated_and_says_so(bert: Path) -> None:
    classifier = Classifier.load(
        str(bert), precision="float32", max_window_tokens=32, window_overlap_tokens=8, max_windows=2
    )
    capacity = 30 + 22
    exact, over = classifier.classify(["." * capacity, "." * (capacity + 1)])
    assert exact.text == (capacity + 8 + 4, 2, False)
    assert over.text == (capacity + 8 + 4, 2, True)
    assert classifier.counters.truncated_texts == 1


def test_one_window_is_what_transformers_truncates_to(bert: Path) -> None:
    text = "You are a stupid, idiotic jerk. " * 200
    classifier = Classifier.load(str(bert), precision="float32", max_windows=1)
    (result,) = classifier.classify([text])
    assert list(result.scores.values()) == pytest.approx(reference_scores(bert, [text])[0].tolist(), abs=1e-5)
    assert result.text == (512, 1, True)
