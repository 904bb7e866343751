"""A checkpoint's modules, named as its weights are, without transformers' model around them.

Nothing here computes: `worker.classifier.forward.architecture` reads these modules as it reads those of transformers.
The file is memory-mapped and each weight is copied out of it once, in the precision it is kept in: replacing the file
under a running worker must not change its scores.
"""

import functools
import json
from collections import defaultdict
from itertools import pairwise
from types import SimpleNamespace

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from worker.classifier.checkpoint.checkpoint import CONFIG_FILE, Checkpoint
from worker.classifier.forward.linears import Activation

WEIGHTS_FILE = "model.safetensors"

_ACTIVATIONS: dict[str, Activation] = {
    "gelu": functional.gelu,
    "gelu_new": functools.partial(functional.gelu, approximate="tanh"),
    "relu": functional.relu,
}
_EMBEDDINGS = "_embeddings"
_DEFAULT_EPS = 1e-12
"""Epsilon of the layer norms where the configuration does not state one; these families share this default."""


class Skeleton(nn.Module):
    """The modules, as children under their own names.

    Attributes:
        config: The checkpoint's configuration, under the names transformers uses.
        activation: The activation between the two products of its feed-forward layers.
    """

    config: SimpleNamespace
    activation: Activation


def load_skeleton(checkpoint: Checkpoint) -> Skeleton:
    """The checkpoint's modules in float32; word embeddings stay as stored, since only the rows read are converted.

    Raises:
        KeyError: The configuration leaves out values that transformers would fill in: load the checkpoint with it.
        OSError: The weights are not in a single file.
    """
    config = json.loads((checkpoint.folder / CONFIG_FILE).read_bytes())
    root = Skeleton()
    # DistilBERT has its own names for some values.
    config.setdefault("num_attention_heads", config.get("n_heads"))
    root.config = SimpleNamespace(**config)
    root.activation = _ACTIVATIONS[config["activation"] if "activation" in config else config["hidden_act"]]
    leaves: defaultdict[str, dict[str, torch.Tensor]] = defaultdict(dict)
    for name, tensor in load_file(checkpoint.folder / WEIGHTS_FILE).items():
        path, _, kind = name.rpartition(".")
        leaves[path][kind] = tensor
    for path in sorted(leaves, key=_running_order):
        if "weight" in leaves[path]:
            _place(root, path, _leaf(path, leaves[path], config.get("layer_norm_eps", _DEFAULT_EPS)))
    return root


def _running_order(path: str) -> list[tuple[int, str]]:
    """Sort key that puts layer 2 before layer 10."""
    return [(int(part) if part.isdigit() else 0, part) for part in path.split(".")]


def _leaf(path: str, tensors: dict[str, torch.Tensor], eps: float) -> nn.Module:
    weight, bias = tensors["weight"], tensors.get("bias")
    if path.endswith(_EMBEDDINGS):
        kept = weight.dtype if path.endswith(f"word{_EMBEDDINGS}") else torch.float32
        return nn.Embedding(len(weight), weight.shape[1], _weight=weight.to(kept, copy=True), _freeze=True)
    leaf: nn.Linear | nn.LayerNorm
    if weight.dim() == 1:
        leaf = nn.LayerNorm(weight.shape, eps, device="meta")
    else:
        leaf = nn.Linear(weight.shape[1], weight.shape[0], bias is not None, device="meta")
    leaf.weight = nn.Parameter(weight.to(torch.float32, copy=True), requires_grad=False)
    if bias is not None:
        leaf.bias = nn.Parameter(bias.to(torch.float32, copy=True), requires_grad=False)
    return leaf


def _place(root: nn.Module, path: str, leaf: nn.Module) -> None:
    """Add `leaf` at `path` and create the modules on the way there; numbered modules become lists."""
    module = root
    for parent, child in pairwise(path.split(".")):
        if parent not in module._modules:  # noqa: SLF001 - ModuleList has no other way to ask by name
            module.add_module(parent, nn.ModuleList() if child.isdigit() else nn.Module())
        found = module._modules[parent]  # noqa: SLF001 - likewise
        assert found is not None  # noqa: S101 - added here or by an earlier leaf
        module = found
    module.add_module(path.rpartition(".")[2], leaf)
