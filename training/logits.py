"""Logits of a checkpoint for texts, as plain `transformers` computes them."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from training.batches import DeviceBatches, plan
from training.data import LABELS

MAX_TOKENS = 512
BATCH_TOKENS = {"cpu": 4096, "cuda": 32768}
BATCH_COMMENTS = {"cpu": 128, "cuda": 1024}


def token_ids(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_tokens: int) -> list[list[int]]:
    """Token ids of each text, special tokens included, cut to `max_tokens`."""
    if not texts:
        return []
    rows: list[list[int]] = tokenizer(list(texts), truncation=True, max_length=max_tokens)["input_ids"]
    return rows


def compute_logits(
    model: PreTrainedModel, rows: Sequence[Sequence[int]], padding: int, *, bfloat16: bool = False
) -> NDArray[np.float64]:
    """Logits of shape [rows, labels], in the order of `rows`; the model is left in evaluation mode."""
    model.train(mode=False)
    if not rows:
        return np.zeros((0, len(LABELS)))
    device = next(model.parameters()).device
    planned = plan([len(row) for row in rows], BATCH_TOKENS[device.type], BATCH_COMMENTS[device.type])
    batches = DeviceBatches(rows, planned, padding, device)
    logits = torch.zeros(len(rows), len(LABELS), device=device)
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
        for number in range(len(batches)):
            ids, mask = batches.make(number)
            logits[batches.rows(number)] = model(input_ids=ids, attention_mask=mask).logits.float()
    return logits.double().cpu().numpy()
