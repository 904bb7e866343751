"""The forward pass that works for every architecture: windows sorted by length, padded little, through transformers."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from transformers import PreTrainedModel

log = logging.getLogger(__name__)

PADDING_TOLERANCE = 1e-3
"""Largest difference that padding may make to a logit, relative to its size; beyond it, the model's attention mask does
not hide padding. Measured in float32, before any conversion."""

PADDING_SHARE = 8
"""At most one in this many tokens of a batch is padding: a second small batch costs less than more padding."""

FREE_PADDING = 64
"""Padding that is always allowed, in tokens: it costs less than another call."""


class PaddedForward:
    """A forward pass over padded batches within a token budget; see `worker.classifier.forward.forward.Forward`.

    Windows are sorted by length, so neighbours in a batch are nearly equal, and a batch of equal lengths has no mask
    (attention then uses its fastest kernel). Whether the model ignores padding is tested, not assumed: a model that
    does not (a head that reads the last token, a missing padding token) gets batches of equal lengths only.
    """

    def __init__(
        self,
        model: "PreTrainedModel",
        *,
        device: torch.device,
        dtype: torch.dtype,
        max_tokens: int,
        sample_tokens: int = 8,
    ) -> None:
        """Take ownership of `model` (float32, on the CPU) and convert it in place.

        Args:
            model: A model in evaluation mode.
            device: Where to compute.
            dtype: Type of all but the last linear layer, which stays in float32 for precise scores.
            max_tokens: Tokens, padding included, computed at once; a longer window is computed alone.
            sample_tokens: Length of the longer of the two samples that padding is tested with.
        """
        self._max_tokens = max_tokens
        self._device = torch.device("cpu")
        self._model: nn.Module = model
        self._vocabulary = int(model.config.vocab_size)
        self._compute_logits: Callable[..., Any] = model
        self._labels = int(model.config.num_labels or 0)
        self._pad = model.config.pad_token_id
        self._mixed = self._pad is not None
        self._batched = True
        self._padded_tokens = 0
        self._probe(sample_tokens)
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

    def logits(self, windows: Sequence[Sequence[int]]) -> torch.Tensor:
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

    def _compute(self, windows: list[Sequence[int]]) -> torch.Tensor:
        lengths = [len(window) for window in windows]
        longest = max(lengths)
        mask = None
        if min(lengths) < longest:
            self._padded_tokens += longest * len(windows) - sum(lengths)
            windows = [[*window, *[self._pad] * (longest - len(window))] for window in windows]
            mask = (torch.arange(longest) < torch.tensor(lengths)[:, None]).long().to(self._device)
        ids = torch.tensor(windows, dtype=torch.long).to(self._device)
        output: torch.Tensor = self._compute_logits(input_ids=ids, attention_mask=mask).logits
        return output

    def _probe(self, sample_tokens: int) -> None:
        """Compute two lengths alone and together, and allow only the batches that give the same logits."""
        size = min(self._vocabulary, 1000)
        long = [token % size for token in range(size // 2, size // 2 + sample_tokens)]
        long = [token if token != self._pad else (token + 1) % size for token in long]
        short = long[: sample_tokens // 2]
        alone = torch.cat([self.logits([long]), self.logits([short])])
        if self._mixed and not self._agrees([long, short], alone):
            self._mixed = False
            log.warning("%s does not ignore padding: batching only texts of equal length, slower", self._name)
        if not self._mixed and not self._agrees([long, long], alone[:1].expand(2, -1)):
            self._batched = False
            log.warning("%s cannot compute several texts at once: computing one at a time, slower", self._name)
        self._padded_tokens = 0

    def _agrees(self, windows: list[list[int]], expected: torch.Tensor) -> bool:
        try:
            got = self.logits(windows)
        except (RuntimeError, ValueError):
            # Some models reject a batch when they have no padding token.
            return False
        return torch.allclose(got, expected, rtol=PADDING_TOLERANCE, atol=PADDING_TOLERANCE)

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
