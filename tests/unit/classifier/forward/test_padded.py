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

CPU = torch.device("cpu")


class Counting(torch.nn.Module):
    """A model whose logit is the mean of its tokens; with `faults` it reads padding, or refuses a batch."""

    def __init__(self, *, faults: Sequence[str] = (), pad: int | None = 0) -> None:
        super().__init__()
        self.config = transformers.BertConfig(vocab_size=100, id2label={0: "kind"}, pad_token_id=pad)
        self.faults = faults
        self.shapes: list[tuple[int, int]] = []

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None) -> Any:
        self.shapes.append((input_ids.shape[0], input_ids.shape[1]))
        if "refuses batches" in self.faults and len(input_ids) > 1:
            message = "no batches without a padding token"
            raise ValueError(message)
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        if "reads the last token" in self.faults:
            return transformers.modeling_outputs.SequenceClassifierOutput(logits=input_ids[:, -1:].float())
        mean = (input_ids * mask).sum(dim=1, keepdim=True) / mask.sum(dim=1, keepdim=True)
        return transformers.modeling_outputs.SequenceClassifierOutput(logits=mean)


def forward_over(model: Counting, max_tokens: int = 256) -> PaddedForward:
    forward = PaddedForward(model, device=CPU, dtype=torch.float32, max_tokens=max_tokens)  # type: ignore[arg-type]
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
    forward = PaddedForward(model, device=CPU, dtype=torch.float32, max_tokens=256)
    torch.testing.assert_close(forward.logits(windows), plain, rtol=0, atol=1e-5)


def test_no_windows_give_no_rows(bert: Path) -> None:
    model = transformers.AutoModelForSequenceClassification.from_pretrained(bert, dtype=torch.float32).eval()
    forward = PaddedForward(model, device=CPU, dtype=torch.bfloat16, max_tokens=256)
    assert forward.logits([]).shape == (0, 6)
    assert forward.precision == "bfloat16"
    assert forward.logits([[2, 7, 3]]).dtype == torch.float32
