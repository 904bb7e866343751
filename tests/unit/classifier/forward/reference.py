"""Plain transformers as the reference of a forward pass, and how far each precision may differ from it."""

import random
from collections.abc import Sequence
from pathlib import Path

import torch
import transformers

from worker.classifier.forward.build import build_forward
from worker.classifier.forward.forward import Forward
from worker.classifier.forward.trial import Sample
from worker.settings import Precision

TOLERANCES = {Precision.FLOAT32: (1e-4, 1e-5), Precision.BFLOAT16: (0.5, 0.08), Precision.INT8: (0.8, 0.12)}
"""Largest and mean difference of a logit."""

LENGTHS = (2, 3, 512, 17, 17, 17, 129, 2, 64, 65, 300)


def load(folder: Path) -> transformers.PreTrainedModel:
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
    return model.eval().requires_grad_(requires_grad=False)  # type: ignore[no-any-return] # untyped in the package


def build(
    folder: Path,
    precision: Precision,
    max_tokens: int = 700,
    *,
    model: transformers.PreTrainedModel | None = None,
    device: str = "cpu",
    threads: int | None = None,
) -> Forward:
    return build_forward(
        lambda: model or load(folder),
        Sample(windows_of(folder, (3, 17))),
        device=torch.device(device),
        precision=precision,
        max_tokens=max_tokens,
        threads=threads,
    )


def plain(folder: Path, windows: Sequence[Sequence[int]]) -> torch.Tensor:
    model = load(folder)
    with torch.inference_mode():
        return torch.cat([model(input_ids=torch.tensor([list(window)])).logits for window in windows])


def windows_of(folder: Path, lengths: Sequence[int] = LENGTHS) -> list[list[int]]:
    config = transformers.AutoConfig.from_pretrained(folder)
    choose = random.Random(3)
    others = [token for token in range(5, config.vocab_size) if token != config.pad_token_id]
    return [choose.choices(others, k=length) for length in lengths]
