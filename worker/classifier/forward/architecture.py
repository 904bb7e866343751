"""Describe an encoder of transformers in the one form that a single forward pass computes.

BERT and its relatives differ far more in the names of their modules than in what they compute: post-norm layers over
absolute positions, and a head of two linear layers on the first token. The table below holds those names. A description
is tested against the model itself at load (`worker.classifier.forward.build`), so a relative that computes something
else under the same names is detected, not trusted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import torch
from torch import nn

from worker.classifier.forward.linears import Activation


@dataclass(frozen=True, slots=True)
class Embeddings:
    """How a token id becomes a row before the first layer.

    Attributes:
        words: Embedding of each token id, [vocabulary, width], in any precision.
        positions: Embedding of each position with that of token type 0 added, [positions, width].
        norm: Layer norm of their sum.
        projection: From `width` to the layers' size, where these differ.
        padding: In the RoBERTa family, the id of the padding token: positions count from the next number, and a padding
            token inside a text (somebody typed `<pad>`) is not counted. None: positions count from 0.
    """

    words: torch.Tensor
    positions: torch.Tensor
    norm: nn.LayerNorm
    projection: nn.Linear | None
    padding: int | None


@dataclass(frozen=True, slots=True)
class Layer:
    """One post-norm transformer layer: attention, add and norm, feed-forward, add and norm."""

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    attention_output: nn.Linear
    attention_norm: nn.LayerNorm
    up: nn.Linear
    activation: Activation
    down: nn.Linear
    output_norm: nn.LayerNorm


@dataclass(frozen=True, slots=True)
class Head:
    """The classification head: from the first token's last state to logits."""

    dense: nn.Linear
    activation: Activation
    output: nn.Linear


@dataclass(frozen=True, slots=True)
class Encoder:
    """A whole model. The modules are the model's own, not copies; layers that share weights are the same object."""

    embeddings: Embeddings
    layers: tuple[Layer, ...]
    heads: int
    head: Head


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of a family's modules: dotted paths from the model, or from a layer."""

    embeddings: str
    layers: Callable[[nn.Module], Sequence[nn.Module]]
    layer: tuple[str, ...]
    activation: str
    head: tuple[str, str]
    head_activation: Activation
    projection: str | None = None
    counts_after_padding: bool = False


_BERT_LAYER = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "attention.output.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
)
_DISTILBERT_LAYER = (
    "attention.q_lin",
    "attention.k_lin",
    "attention.v_lin",
    "attention.out_lin",
    "sa_layer_norm",
    "ffn.lin1",
    "ffn.lin2",
    "output_layer_norm",
)
_ALBERT_LAYER = (
    "attention.query",
    "attention.key",
    "attention.value",
    "attention.dense",
    "attention.LayerNorm",
    "ffn",
    "ffn_output",
    "full_layer_layer_norm",
)


def _albert_layers(model: nn.Module) -> Sequence[nn.Module]:
    """ALBERT's layers in the order they run: groups share their weights over consecutive layers."""
    config: Any = model.config
    groups: Any = attrgetter("albert.encoder.albert_layer_groups")(model)
    per_group = config.num_hidden_layers / config.num_hidden_groups
    return [
        layer for index in range(config.num_hidden_layers) for layer in groups[int(index / per_group)].albert_layers
    ]


def _roberta() -> _Names:
    return _Names(
        embeddings="roberta.embeddings",
        layers=attrgetter("roberta.encoder.layer"),
        layer=_BERT_LAYER,
        activation="intermediate.intermediate_act_fn",
        head=("classifier.dense", "classifier.out_proj"),
        head_activation=torch.tanh,
        counts_after_padding=True,
    )


_FAMILIES: dict[str, _Names] = {
    "BertForSequenceClassification": _Names(
        embeddings="bert.embeddings",
        layers=attrgetter("bert.encoder.layer"),
        layer=_BERT_LAYER,
        activation="intermediate.intermediate_act_fn",
        head=("bert.pooler.dense", "classifier"),
        head_activation=torch.tanh,
    ),
    "DistilBertForSequenceClassification": _Names(
        embeddings="distilbert.embeddings",
        layers=attrgetter("distilbert.transformer.layer"),
        layer=_DISTILBERT_LAYER,
        activation="ffn.activation",
        head=("pre_classifier", "classifier"),
        head_activation=torch.relu,
    ),
    "RobertaForSequenceClassification": _roberta(),
    "XLMRobertaForSequenceClassification": _roberta(),
    "CamembertForSequenceClassification": _roberta(),
    "ElectraForSequenceClassification": _Names(
        embeddings="electra.embeddings",
        layers=attrgetter("electra.encoder.layer"),
        layer=_BERT_LAYER,
        activation="intermediate.intermediate_act_fn",
        head=("classifier.dense", "classifier.out_proj"),
        head_activation=nn.functional.gelu,
        projection="electra.embeddings_project",
    ),
    "AlbertForSequenceClassification": _Names(
        embeddings="albert.embeddings",
        layers=_albert_layers,
        layer=_ALBERT_LAYER,
        activation="activation",
        head=("albert.pooler", "classifier"),
        head_activation=torch.tanh,
        projection="albert.encoder.embedding_hidden_mapping_in",
    ),
}
"""Keyed by the class that transformers loads. MiniLM and most sentence encoders are BERT here."""


def describe(model: nn.Module, architecture: str) -> Encoder | None:
    """The description of `model`, sharing its weights; None for an architecture that is not in the table.

    Args:
        model: A model of transformers, or its skeleton (`worker.classifier.loading.skeleton`); it has a `config`.
        architecture: Name of its class in transformers.
    """
    names = _FAMILIES.get(architecture)
    if names is None:
        return None
    described: dict[int, Layer] = {}
    layers = []
    for module in names.layers(model):
        if id(module) not in described:
            described[id(module)] = _layer(module, names, getattr(model, "activation", None))
        layers.append(described[id(module)])
    dense, output = (_get(model, path) for path in names.head)
    return Encoder(
        embeddings=_embeddings(model, names),
        layers=tuple(layers),
        heads=int(_get(model, "config.num_attention_heads")),
        head=Head(dense, names.head_activation, output),
    )


def _layer(module: nn.Module, names: _Names, activation: Activation | None) -> Layer:
    query, key, value, attention_output, attention_norm, up, down, output_norm = (
        _get(module, path) for path in names.layer
    )
    activation = activation or _get(module, names.activation)
    return Layer(query, key, value, attention_output, attention_norm, up, activation, down, output_norm)


def _embeddings(model: nn.Module, names: _Names) -> Embeddings:
    module = _get(model, names.embeddings)
    positions = module.position_embeddings.weight
    types = getattr(module, "token_type_embeddings", None)
    if types is not None:
        positions = positions + types.weight[0]
    # ELECTRA has the projection only where the sizes differ.
    projection = _get(model, names.projection) if names.projection and _has(model, names.projection) else None
    padding = int(_get(model, "config.pad_token_id")) if names.counts_after_padding else None
    return Embeddings(module.word_embeddings.weight, positions, module.LayerNorm, projection, padding)


def _get(module: nn.Module, path: str) -> Any:  # whatever kind of module or value the path names
    return attrgetter(path)(module)


def _has(module: nn.Module, path: str) -> bool:
    try:
        _get(module, path)
    except AttributeError:
        return False
    return True
