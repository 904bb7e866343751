"""CTranslate2: its converter and encoder, and the classification head, which it does not have, in numpy."""

import tempfile
from pathlib import Path

import ctranslate2
import numpy as np
import torch
from ctranslate2.converters import TransformersConverter
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import AutoModelForSequenceClassification

from benchmarks.engines.serving import Logits, Request, Unsupported, serve


def load(request: Request, _: Tokenizer) -> Logits:
    """Convert the checkpoint; CTranslate2 pads a batch itself, and leaves the padding out where it can."""
    head = Head(request.folder)
    with tempfile.TemporaryDirectory() as scratch:
        converted = str(Path(scratch) / "model")
        try:
            TransformersConverter(request.folder).convert(converted)
            encoder = ctranslate2.Encoder(
                converted, compute_type=request.precision, inter_threads=1, intra_threads=request.threads
            )
        except ValueError as why:  # it has no conversion for the architecture, or no such products for the CPU
            raise Unsupported(str(why).splitlines()[0]) from why

    def logits(batch: list[list[int]]) -> NDArray[np.float32]:
        return head(encoder.forward_batch(batch))

    return logits


class Head:
    """The layers after the encoder of BERT and DistilBERT, in float32.

    BERT's pooler is part of CTranslate2's encoder, and only a linear layer remains.
    """

    def __init__(self, folder: str) -> None:
        model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
        kind = model.config.model_type
        if kind not in {"bert", "distilbert"}:
            message = f"the head of {kind} is not written for CTranslate2"
            raise Unsupported(message)
        self._before = _linear(model.pre_classifier) if kind == "distilbert" else None
        self._classifier = _linear(model.classifier)

    def __call__(self, encoded: ctranslate2.EncoderForwardOutput) -> NDArray[np.float32]:
        """Logits of a batch."""
        if self._before is None:
            first = np.array(encoded.pooler_output)
        else:
            weight, bias = self._before
            first = np.maximum(np.array(encoded.last_hidden_state)[:, 0] @ weight + bias, 0)
        weight, bias = self._classifier
        logits: NDArray[np.float32] = first @ weight + bias
        return logits


def _linear(layer: torch.nn.Linear) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weight [inputs, outputs] and bias."""
    return layer.weight.detach().numpy().T.copy(), layer.bias.detach().numpy().copy()


if __name__ == "__main__":
    serve(load, ("ctranslate2", "torch", "transformers"))
