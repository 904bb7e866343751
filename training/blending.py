"""Between two fine-tunings of one pretrained model: a weighted mean of their weights.

A student of many worlds loses some sharpness in the first; the mean of its weights with those of a model of that first
world keeps most of what each knows (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", arXiv:2109.01903),
at no cost when it runs. Both must be calibrated, so that their classifier layers speak of the same scale.
"""

from pathlib import Path

import torch

from training.model import load_model, load_tokenizer


def blend(checkpoint: Path, other: Path, share: float, folder: Path) -> None:
    """Write to `folder` the checkpoint whose weights are `share` parts `other` and the rest `checkpoint`.

    Raises:
        ValueError: The two have other weights by name or shape, or `share` is not within 0 and 1.
    """
    if not 0 <= share <= 1:
        message = f"a share is between 0 and 1, not {share}"
        raise ValueError(message)
    model = load_model(checkpoint)
    own, others = model.state_dict(), load_model(other).state_dict()
    if {name: weight.shape for name, weight in own.items()} != {name: weight.shape for name, weight in others.items()}:
        message = f"{other} is of another architecture than {checkpoint}; only two of the same can be blended"
        raise ValueError(message)
    with torch.no_grad():
        model.load_state_dict({name: torch.lerp(weight, others[name], share) for name, weight in own.items()})
    model.save_pretrained(folder)
    load_tokenizer(checkpoint).save_pretrained(folder)
