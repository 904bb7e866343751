"""ONNX Runtime: the model exported, its layers fused by the runtime's own optimizer, and int8 by dynamic quantization.

The export follows a trace, and attention is written out in it ("eager"): from such a graph the optimizer fuses whole
attention layers, which it does not from the graph of torch's newer exporter.
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.optimizer import optimize_model
from tokenizers import Tokenizer
from transformers import AutoModelForSequenceClassification

from benchmarks.engines.serving import Logits, Request, Unsupported, padded, serve


def load(request: Request, _: Tokenizer) -> Logits:
    """Export the checkpoint and open it in a session."""
    model = AutoModelForSequenceClassification.from_pretrained(
        request.folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    padding = model.config.pad_token_id or 0
    if model.config.model_type not in {"bert", "distilbert"}:
        message = f"the optimizer of ONNX Runtime is not set up here for {model.config.model_type}"
        raise Unsupported(message)
    with tempfile.TemporaryDirectory() as scratch:
        path = export(model, Path(scratch))
        if request.precision == "int8":
            exact, path = path, Path(scratch) / "int8.onnx"
            quantize_dynamic(
                exact,
                path,
                per_channel=True,
                weight_type=QuantType.QInt8,
                extra_options={"DefaultTensorType": TensorProto.FLOAT},  # of what comes out of a fused layer
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = request.threads
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def logits(batch: list[list[int]]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = session.run(None, padded(batch, padding))[0]
        return found

    return logits


class Plain(torch.nn.Module):
    """The model with two inputs and one output, which is what a trace can follow."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self._model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Logits [texts, labels]."""
        logits: torch.Tensor = self._model(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits


def export(model: Any, folder: Path) -> Path:
    """Write the optimized model into the folder."""
    exported, optimized = folder / "exported.onnx", folder / "optimized.onnx"
    mask = torch.ones(2, 8, dtype=torch.int64)
    mask[1, 4:] = 0
    names = ["input_ids", "attention_mask"]
    torch.onnx.export(
        Plain(model),
        (torch.ones_like(mask), mask),
        exported,
        input_names=names,
        output_names=["logits"],
        dynamic_axes={name: {0: "texts", 1: "tokens"} for name in names} | {"logits": {0: "texts"}},
        opset_version=17,
        dynamo=False,
    )
    config = model.config
    optimize_model(
        str(exported), "bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size, opt_level=0
    ).save_model_to_file(str(optimized))
    return optimized


if __name__ == "__main__":
    serve(load, ("onnxruntime", "torch", "transformers"))
