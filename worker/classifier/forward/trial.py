"""Windows that a forward pass is tested on before it is used, and what plain transformers computes for them."""

import inspect
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from worker.errors import ModelFault

if TYPE_CHECKING:
    from transformers import PreTrainedModel

log = logging.getLogger(__name__)

RANDOM_LENGTHS = (13, 5, 13, 2, 7)
"""Lengths in tokens of the windows of random ids: equal, different and very short ones."""

SAME = 1e-6
"""Logits of different texts that differ by no more than this do not depend on the text."""


@dataclass(frozen=True, slots=True)
class TokenTypes:
    """The token types that a tokenizer gives with a text, where they are not all 0 (XLNet, Funnel).

    Attributes:
        prefix: Type of each special token before the text.
        text: Type of the text's tokens.
        suffix: Type of each special token after it.
    """

    prefix: tuple[int, ...]
    text: int
    suffix: tuple[int, ...]

    def over(self, tokens: int) -> list[int]:
        """The types of a window of `tokens` tokens."""
        content = tokens - len(self.prefix) - len(self.suffix)
        return [*self.prefix, *[self.text] * content, *self.suffix]


class Sample(NamedTuple):
    """Windows of real tokens, as texts become windows.

    Attributes:
        windows: Token ids, special tokens included; the shortest first.
        types: What the tokenizer gives beside them.
    """

    windows: list[list[int]]
    types: TokenTypes | None = None


class ForwardTrial(NamedTuple):
    """Windows and the logits that transformers computes for them: a forward pass must agree before it is used.

    Attributes:
        windows: Token ids.
        logits: float32 [windows, labels].
        types: Token types of the windows.
    """

    windows: list[list[int]]
    logits: torch.Tensor
    types: TokenTypes | None = None


def random_trial(model: "PreTrainedModel") -> ForwardTrial:
    """A trial on random ids, for a model that takes any: the packed forward pass must agree on every token."""
    generator = torch.Generator().manual_seed(0)
    vocabulary = int(model.config.vocab_size)
    windows = [torch.randint(vocabulary, (length,), generator=generator).tolist() for length in RANDOM_LENGTHS]
    with torch.inference_mode():
        logits = torch.cat([model(input_ids=torch.tensor([window])).logits for window in windows])
    return ForwardTrial(windows, logits)


def text_trial(model: "PreTrainedModel", sample: Sample) -> ForwardTrial:
    """A trial on the sample: its windows computed as plain transformers computes a text, one at a time.

    Windows that are too short for the model are left out, with a warning.

    Raises:
        ModelFault: The model computes none of the windows, or not the longest, or gives all of them the same scores.
    """
    rows: dict[int, torch.Tensor] = {}
    failure: Exception | None = None
    for index, window in enumerate(sample.windows):
        try:
            rows[index] = plain_logits(model, window, sample.types)
        except Exception as error:  # models raise anything; it is reported or raised below
            failure = error
    name, longest = type(model).__name__, len(sample.windows[-1])
    if not rows:
        message = f"{name} cannot compute a text: {first_line(failure)} Name a model that reads plain text."
        raise ModelFault(message) from failure
    if len(sample.windows) - 1 not in rows:
        computed = len(sample.windows[max(rows)])
        message = (
            f"{name} computes {computed} tokens but not {longest}: {first_line(failure)} "
            f"Set SLUICE_MODEL__MAX_WINDOW_TOKENS to what it can read, {computed} for example."
        )
        raise ModelFault(message) from failure
    labels = int(model.config.num_labels or 0)
    if any(row.shape != (1, labels) for row in rows.values()):
        message = (
            f"{name} does not give one score for each of its {labels} labels. "
            "Name a checkpoint fine-tuned for sequence classification."
        )
        raise ModelFault(message)
    logits = torch.cat(list(rows.values())).float()
    if len(rows) > 1 and torch.allclose(logits, logits[0].expand_as(logits), rtol=SAME, atol=SAME):
        message = (
            f"{name} gives every text the same scores: its weights are broken, or a part of it cannot compute on this "
            "machine (MRA without its CUDA kernel, for example). Name another model."
        )
        raise ModelFault(message)
    if failure is not None:
        log.warning(
            "%s cannot compute a text of %d tokens or fewer, special tokens included, but one of %d: shorter texts "
            "cannot be scored (%s)",
            *(name, max(len(window) for index, window in enumerate(sample.windows) if index not in rows)),
            *(len(sample.windows[min(rows)]), first_line(failure)),
        )
    return ForwardTrial([sample.windows[index] for index in rows], logits, sample.types)


@torch.inference_mode()
def plain_logits(model: "PreTrainedModel", window: Sequence[int], types: TokenTypes | None) -> torch.Tensor:
    """What transformers computes for one window, given what its tokenizer gives for a text: [1, labels]."""
    inputs: dict[str, Any] = {"input_ids": torch.tensor([list(window)])}
    if takes(model, "attention_mask"):
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    if types is not None and takes(model, "token_type_ids"):
        inputs["token_type_ids"] = torch.tensor([types.over(len(window))])
    logits: torch.Tensor = model(**inputs).logits
    return logits


def takes(model: torch.nn.Module, argument: str) -> bool:
    """Whether the model's `forward` takes an argument of this name."""
    parameters = inspect.signature(model.forward).parameters
    return argument in parameters or any(kind.kind is kind.VAR_KEYWORD for kind in parameters.values())


def first_line(error: BaseException | None) -> str:
    """The first line of a library's message: the rest is advice about the library's own interface."""
    line = next(iter(str(error).strip().splitlines()), "").strip().removesuffix(".")
    return f"{type(error).__name__}: {line}." if line else f"{type(error).__name__}."
