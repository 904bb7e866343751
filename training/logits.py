"""Logits of a checkpoint for texts, as plain `transformers` computes them."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BertForSequenceClassification, PreTrainedTokenizerBase

from training.batches import pad, plan

MAX_TOKENS = 512
BATCH_TOKENS = 4096
BATCH_COMMENTS = 128


def token_ids(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_tokens: int) -> list[list[int]]:
    """Token ids of each text, special tokens included, cut to `max_tokens`."""
    rows: list[list[int]] = tokenizer(list(texts), truncation=True, max_length=max_tokens)["input_ids"]
    return rows


def compute_logits(
    model: BertForSequenceClassification, rows: Sequence[Sequence[int]], padding: int, *, bfloat16: bool = False
) -> NDArray[np.float64]:
    """Logits of shape [rows, labels], in the order of `rows`; the model is left in evaluation mode."""
    model.train(mode=False)
    logits = np.zeros((len(rows), model.classifier.out_features))
    device = next(model.parameters()).device
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
        for batch in plan([len(row) for row in rows], BATCH_TOKENS, BATCH_COMMENTS):
            ids, mask = pad([rows[i] for i in batch], padding)
            output = model(input_ids=ids.to(device), attention_mask=mask.to(device))
            logits[batch] = output.logits.double().cpu().numpy()
    return logits
