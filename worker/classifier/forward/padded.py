"""The forward pass that works for every architecture: windows sorted by length, padded little, through transformers."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from worker.classifier.forward.forward import Marks
from worker.classifier.forward.trial import ForwardTrial, plain_logits, takes
from worker.errors import ModelFault

if TYPE_CHECKING:
    from transformers import PreTrainedModel

log = logging.getLogger(__name__)

TOLERANCE = 1e-3
"""Largest difference that company, padding or a missing mask may make to a logit, relative to its size. Measured in
float32, before any conversion."""

PADDING_SHARE = 8
"""At most one in this many tokens of a batch is padding: a second small batch costs less than more padding."""

SPECIAL_ENDS = 4
"""Special tokens that a window has at most, two at each end."""

FREE_PADDING = 64
"""Padding that is always allowed, in tokens: it costs less than another call."""


class PaddedForward:
    """A forward pass over padded batches within a token budget; see `worker.classifier.forward.forward.Forward`.

    Windows are sorted by length, so neighbours in a batch are nearly equal, and a batch of equal lengths has no mask
    (attention then uses its fastest kernel). Whether the model ignores padding and company is tested, not assumed: a
    model that does not (a head that reads the last token, a missing padding token) gets batches of equal lengths only,
    or one window at a time.
    """

    def __init__(
        self,
        model: "PreTrainedModel",
        trial: ForwardTrial,
        *,
        device: torch.device,
        dtype: torch.dtype,
        max_tokens: int,
    ) -> None:
        """Take ownership of `model` (float32, on the CPU) and convert it in place.

        Args:
            model: A model in evaluation mode.
            trial: Windows of several lengths and the model's logits for each of them alone.
            device: Where to compute.
            dtype: Type of all but the last linear layer, which stays in float32 for precise scores.
            max_tokens: Tokens, padding included, computed at once; a longer window is computed alone.

        Raises:
            ModelFault: The model gives other logits each time it computes the same window.
        """
        self._max_tokens = max_tokens
        self._device = torch.device("cpu")
        self._model: nn.Module = model
        self._compute_logits: Callable[..., Any] = model
        self._labels = int(model.config.num_labels or 0)
        self._types = trial.types if takes(model, "token_type_ids") else None
        self._pad = _usable_pad(model)
        self._always_masked = False
        self._mixed = self._pad is not None
        self._batched = True
        self._padded_tokens = 0
        self._settle(model, trial)
        self._convert(device, dtype)
        self._precision = str(dtype).removeprefix("torch.")

    @property
    def precision(self) -> str:
        """The precision of the linear layers."""
        return self._precision

    @property
    def padded_tokens(self) -> int:
        """Padding computed so far, in tokens."""
        return self._padded_tokens

    def open_lanes(self, wanted: int | None = None) -> int:  # noqa: ARG002 - the protocol's
        """One, whatever is wanted: each call uses all of the device, or all threads."""
        return 1

    def logits(
        self,
        windows: Sequence[Sequence[int]],
        marks: Marks | None = None,  # noqa: ARG002 - a token head reads rows of the packed forward pass only
    ) -> torch.Tensor:
        """Logits of each window: float32 [windows, labels] on the CPU, in input order."""
        if not windows:
            return torch.empty(0, self._labels)
        result = torch.empty(len(windows), self._labels)
        with torch.inference_mode():
            for batch in self._batches(windows):
                result[batch] = self._compute([windows[index] for index in batch]).to("cpu", torch.float32)
        return result

    def _batches(self, windows: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        """Indices of windows to compute together, longest first, so that a lack of memory shows at once."""
        batch: list[int] = []
        tokens = 0
        for index in sorted(range(len(windows)), key=lambda index: -len(windows[index])):
            size = len(windows[index])
            if batch and not self._joins(size, len(windows[batch[0]]), len(batch), tokens):
                yield batch
                batch, tokens = [], 0
            batch.append(index)
            tokens += size
        if batch:
            yield batch

    def _joins(self, size: int, longest: int, count: int, tokens: int) -> bool:
        """Whether a window of `size` tokens joins a batch of `count` windows with `tokens` tokens in all."""
        computed = (count + 1) * longest
        padding = computed - tokens - size
        allowed = max(FREE_PADDING, computed // PADDING_SHARE) if self._mixed else 0
        return self._batched and computed <= self._max_tokens and padding <= allowed

    def _compute(self, windows: Sequence[Sequence[int]]) -> torch.Tensor:
        lengths = [len(window) for window in windows]
        longest = max(lengths)
        mask = None
        if self._always_masked or min(lengths) < longest:
            self._padded_tokens += longest * len(windows) - sum(lengths)
            padding = self._pad or 0  # 0 only where no window is shorter than the longest
            windows = [[*window, *[padding] * (longest - len(window))] for window in windows]
            mask = (torch.arange(longest) < torch.tensor(lengths)[:, None]).long().to(self._device)
        ids = torch.tensor(windows, dtype=torch.long).to(self._device)
        types = {} if self._types is None else {"token_type_ids": self._types_of(lengths)}
        output: torch.Tensor = self._compute_logits(input_ids=ids, attention_mask=mask, **types).logits
        return output

    def _types_of(self, lengths: list[int]) -> torch.Tensor:
        assert self._types is not None  # noqa: S101 - asked only then
        longest = max(lengths)
        rows = [[*self._types.over(length), *[self._types.text] * (longest - length)] for length in lengths]
        return torch.tensor(rows, dtype=torch.long).to(self._device)

    def _settle(self, model: "PreTrainedModel", trial: ForwardTrial) -> None:
        """Allow only the batches that give each of the trial's windows the logits it has alone."""
        if not self._agrees_alone(trial):
            self._always_masked = takes(model, "attention_mask")
            if not self._agrees_alone(trial):
                message = (
                    f"{self._name} gives other scores each time it computes the same text, so its scores cannot be "
                    "repeated. Name another model."
                )
                raise ModelFault(message)
        if self._mixed and not self._agrees(trial.windows, trial.logits):
            self._mixed = False
            log.warning("%s does not ignore padding: batching only texts of equal length, slower", self._name)
        if not self._mixed and not self._agrees_in_pairs(model, trial):
            self._batched = False
            log.warning("%s cannot compute several texts at once: computing one at a time, slower", self._name)
        self._padded_tokens = 0

    def _agrees_alone(self, trial: ForwardTrial) -> bool:
        return all(self._agrees([window], row[None]) for window, row in zip(trial.windows, trial.logits, strict=True))

    def _agrees_in_pairs(self, model: "PreTrainedModel", trial: ForwardTrial) -> bool:
        """Whether each window and another of the same length give the same together as alone."""
        for window, row in zip(trial.windows, trial.logits, strict=True):
            # Special tokens are at the ends: with those in place, the model reads it as a text.
            other = [*window[:2], *reversed(window[2:-2]), *window[-2:]] if len(window) > SPECIAL_ENDS else window
            expected = torch.cat([row[None], plain_logits(model, other, trial.types)])
            if not self._agrees([window, other], expected):
                return False
        return True

    def _agrees(self, windows: Sequence[Sequence[int]], expected: torch.Tensor) -> bool:
        try:
            with torch.inference_mode():
                got = self._compute(windows).float()
        except Exception:  # models raise anything: some reject a batch, some a missing mask
            return False
        return torch.allclose(got, expected, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)

    @property
    def _name(self) -> str:
        return type(self._model).__name__

    def _convert(self, device: torch.device, dtype: torch.dtype) -> None:
        self._model.to(device=device, dtype=dtype)
        self._device = device
        if dtype == torch.float32:
            return
        linears = [module for module in self._model.modules() if isinstance(module, nn.Linear)]
        heads = [module for module in linears if module.out_features == self._labels]
        if heads:
            heads[-1].float().register_forward_pre_hook(lambda _, inputs: (inputs[0].float(),))


def _usable_pad(model: "PreTrainedModel") -> int | None:
    """The id to pad with; None when the configuration has none, or one without an embedding."""
    pad = getattr(model.config, "pad_token_id", None)
    rows = embedding_rows(model)
    return pad if isinstance(pad, int) and pad >= 0 and (rows is None or pad < rows) else None


def embedding_rows(model: "PreTrainedModel") -> int | None:
    """Number of token ids that have an embedding; None for a model without a table of them (CANINE hashes)."""
    try:
        table = model.get_input_embeddings()
    except (AttributeError, NotImplementedError):
        return None
    return table.num_embeddings if isinstance(table, nn.Embedding) else None
