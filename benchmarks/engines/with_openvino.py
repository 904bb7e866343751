"""OpenVINO: the model converted from torch as its documentation shows it, int8 by NNCF's post-training quantization.

What is left in float by the quantization is computed in the precision that OpenVINO chooses itself, which is bfloat16
where the CPU multiplies it.
"""

import nncf
import numpy as np
import openvino
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import AutoModelForSequenceClassification

from benchmarks.engines.serving import Logits, Request, Unsupported, padded, serve

_HINTS = {"float32": "f32", "bfloat16": "bf16"}


def load(request: Request, tokenizer: Tokenizer) -> Logits:
    """Convert the checkpoint and compile it for batches one after another, each on all threads."""
    torch_model = AutoModelForSequenceClassification.from_pretrained(request.folder, dtype=torch.float32).eval()
    padding = torch_model.config.pad_token_id or 0
    example = {name: torch.ones(2, 8, dtype=torch.int64) for name in ("input_ids", "attention_mask")}
    model = openvino.convert_model(torch_model, example_input=example)
    options: dict[str, object] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": request.threads}
    if request.precision == "int8":

        def inputs(text: str) -> dict[str, NDArray[np.int64]]:
            return padded([tokenizer.encode(text).ids], padding)

        calibration = nncf.Dataset(request.calibration, inputs)
        model = nncf.quantize(
            model, calibration, model_type=nncf.ModelType.TRANSFORMER, subset_size=len(request.calibration)
        )
    else:
        options["INFERENCE_PRECISION_HINT"] = _HINTS[request.precision]
    compiled = openvino.Core().compile_model(model, "CPU", options)
    if request.precision == "bfloat16" and compiled.get_property("INFERENCE_PRECISION_HINT") != openvino.Type.bf16:
        message = "OpenVINO computes no bfloat16 on this CPU"
        raise Unsupported(message)

    def logits(batch: list[list[int]]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = compiled(padded(batch, padding))[0]
        return found

    return logits


if __name__ == "__main__":
    serve(load, ("openvino", "nncf", "torch", "transformers"))
