"""Padded batches have little padding, keep the budget, and mix lengths only for a model that ignores padding."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from worker.classifier.forward.padded import FREE_PADDING, PADDING_SHARE, PaddedForward
from worker.classifier.forward.trial import Sample, text_trial
from worker.errors import ModelFault

CPU = torch.device("cpu")


class Counting(torch.nn.Module):
    """A model whose logit is the mean of its tokens; with `faults` it reads padding, or refuses a batch."""

    def __init__(self, *, faults: Sequence[str] = (), pad: int | None = 0) -> None:
        super().__init__()
        self.config = transformers.BertConfig(vocab_size=100, id2label={0: "kind"}, pad_token_id=pad)
        self.faults = faults
        self.calls = 0
        self.shapes: list[tuple[int, int]] = []

    def get_input_embeddings(self) -> torch.nn.Module:
        return torch.nn.Embedding(100, 1)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None) -> Any:
        self.shapes.append((input_ids.shape[0], input_ids.shape[1]))
        if "is not repeatable" in self.faults:
            self.calls += 1
            return transformers.modeling_outputs.SequenceClassifierOutput(logits=input_ids[:, :1] + self.calls)
        if "needs its mask" in self.faults and attention_mask is None:
            message = "no mask"
            raise TypeError(message)
        if "is short of 8 tokens" in self.faults and input_ids.shape[1] < 8:
            message = "too short to pool\nand more about that"
            raise RuntimeError(message)
        if "has 8 positions" in self.faults and input_ids.shape[1] > 8:
            message = "index out of range in self"
            raise IndexError(message)
        if "refuses batches" in self.faults and len(input_ids) > 1:
            message = "no batches without a padding token"
            raise ValueError(message)
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        if "reads its company beyond a block" in self.faults and len(input_ids) > 1 and input_ids.shape[1] > 16:
            return transformers.modeling_outputs.SequenceClassifierOutput(
                logits=input_ids[:, :1] + input_ids.sum().float()
            )
        if "reads the last token" in self.faults:
            return transformers.modeling_outputs.SequenceClassifierOutput(logits=input_ids[:, -1:].float())
        mean = (input_ids * mask).sum(dim=1, keepdim=True) / mask.sum(dim=1, keepdim=True)
        return transformers.modeling_outputs.SequenceClassifierOutput(logits=mean)


def padded(model: Any, dtype: torch.dtype = torch.float32, max_tokens: int = 256) -> PaddedForward:
    trial = text_trial(model, Sample([[5, 6], [7, 8, 9, 10], [*range(20, 40)]]))
    return PaddedForward(model, trial, device=CPU, dtype=dtype, max_tokens=max_tokens)


def forward_over(model: Counting, max_tokens: int = 256) -> PaddedForward:
    forward = padded(model, torch.float32, max_tokens)
    model.shapes.clear()
    return forward


def expected(model: Counting, windows: Sequence[Sequence[int]]) -> list[float]:
    last = "reads the last token" in model.faults
    return [window[-1] if last else sum(window) / len(window) for window in windows]


WINDOWS = st.lists(st.lists(st.integers(1, 99), min_size=1, max_size=80), max_size=30)


@given(windows=WINDOWS, max_tokens=st.integers(64, 600))
def test_rows_are_in_input_order_within_the_budget_and_the_allowed_padding(
    windows: list[list[int]], max_tokens: int
) -> None:
    model = Counting()
    forward = forward_over(model, max_tokens)
    assert forward.logits(windows).flatten().tolist() == pytest.approx(expected(model, windows), rel=1e-5)
    assert all(rows == 1 or rows * length <= max_tokens for rows, length in model.shapes)
    computed = sum(rows * length for rows, length in model.shapes)
    assert forward.padded_tokens == computed - sum(map(len, windows))
    allowed = sum(max(FREE_PADDING, rows * length // PADDING_SHARE) for rows, length in model.shapes)
    assert forward.padded_tokens <= allowed


@given(windows=WINDOWS)
def test_a_model_that_sees_padding_gets_equal_lengths_only(windows: list[list[int]]) -> None:
    model = Counting(faults=["reads the last token"])
    forward = forward_over(model)
    assert forward.logits(windows).flatten().tolist() == expected(model, windows)
    assert forward.padded_tokens == 0


@pytest.mark.parametrize("pad", [0, None])
def test_a_model_that_refuses_batches_gets_one_text_at_a_time(
    pad: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    model = Counting(faults=["refuses batches"], pad=pad)
    with caplog.at_level(logging.WARNING):
        forward = forward_over(model)
    windows = [[1, 2], [3, 4], [5]]
    assert forward.logits(windows).flatten().tolist() == expected(model, windows)
    assert [rows for rows, _ in model.shapes] == [1, 1, 1]
    assert [record for record in caplog.records if "one at a time" in record.message]


def test_company_is_tested_beyond_the_first_block(caplog: pytest.LogCaptureFixture) -> None:
    """A model may agree on short texts and read its neighbours in longer ones."""
    model = Counting(faults=["reads its company beyond a block"])
    forward = forward_over(model)
    windows = [[*range(1, 41)], [*range(2, 42)], [3, 4]]
    assert forward.logits(windows).flatten().tolist() == pytest.approx(expected(model, windows))
    assert "one at a time" in caplog.text


def test_a_model_that_needs_a_mask_always_gets_one() -> None:
    model = Counting(faults=["needs its mask"])
    windows = [[1, 2], [3, 4], [5]]
    assert forward_over(model).logits(windows).flatten().tolist() == expected(model, windows)


def test_a_model_whose_scores_cannot_be_repeated_is_refused() -> None:
    with pytest.raises(ModelFault, match="other scores each time"):
        forward_over(Counting(faults=["is not repeatable"]))


def test_texts_too_short_for_a_model_are_named_and_the_others_scored(caplog: pytest.LogCaptureFixture) -> None:
    model = Counting(faults=["is short of 8 tokens"])
    window = [*range(1, 11)]
    assert forward_over(model).logits([window]).tolist() == [[5.5]]
    assert "a text of 4 tokens or fewer" in caplog.text
    assert "too short to pool." in caplog.text


def test_a_model_that_cannot_read_a_whole_window_is_refused_with_the_setting_to_change() -> None:
    with pytest.raises(ModelFault, match=r"computes 4 tokens but not 20: IndexError.*MAX_WINDOW_TOKENS"):
        forward_over(Counting(faults=["has 8 positions"]))


@pytest.mark.parametrize("pad", [-1, 100, 5000])
def test_a_padding_id_without_an_embedding_is_not_used(pad: int) -> None:
    model = Counting()
    model.config.pad_token_id = pad
    assert forward_over(model).logits([[1, 2], [3, 4, 5]]).flatten().tolist() == [1.5, 4]
    assert [rows for rows, _ in model.shapes] == [1, 1]


def test_a_decoder_without_a_padding_token_scores_like_plain_transformers() -> None:
    torch.manual_seed(3)
    config = transformers.GPT2Config(
        vocab_size=90,
        n_positions=64,
        n_embd=32,
        n_layer=2,
        n_head=2,
        id2label={0: "a", 1: "b", 2: "c"},
        initializer_range=0.3,
    )
    model = transformers.GPT2ForSequenceClassification(config)
    model.train(mode=False)
    windows = [[5, 6, 7], [8, 9], [10, 11, 12], [13]]
    with torch.inference_mode():
        plain = torch.cat([model(torch.tensor([window])).logits for window in windows])
    forward = padded(model)
    torch.testing.assert_close(forward.logits(windows), plain, rtol=0, atol=1e-5)


def test_no_windows_give_no_rows(bert: Path) -> None:
    model = transformers.AutoModelForSequenceClassification.from_pretrained(bert, dtype=torch.float32).eval()
    forward = padded(model, torch.bfloat16)
    assert forward.logits([]).shape == (0, 6)
    assert forward.precision == "bfloat16"
    assert forward.logits([[2, 7, 3]]).dtype == torch.float32
