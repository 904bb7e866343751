"""How many tokens a model reads at once."""

from typing import TYPE_CHECKING

from torch import nn

from worker.errors import SettingsInvalid

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

UNSET = 1_000_000
"""A tokenizer that knows no limit says 1e30; no encoder reads a million tokens."""

DEFAULT_TOKENS = 512
"""For a model with relative positions that states no limit: what such models are trained on."""


def stated_limit(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> int | None:
    """Tokens a window may hold by what the model and its tokenizer state; None when neither states any."""
    limits = (_positions(model), int(tokenizer.model_max_length))
    return min((limit for limit in limits if 0 < limit < UNSET), default=None)


def window_tokens(stated: int | None, asked: int | None) -> int:
    """Tokens a window holds, special tokens included: the stated limit, or `asked` where that is less.

    Raises:
        SettingsInvalid: More was asked for than the model has positions for.
    """
    if asked is None:
        return stated or DEFAULT_TOKENS
    if stated is not None and asked > stated:
        message = (
            f"model.max_tokens is {asked}, but the model reads at most {stated} tokens at once. Set at most {stated}."
        )
        raise SettingsInvalid(message)
    return asked


def _positions(model: "PreTrainedModel") -> int:
    """Positions the model can tell apart; 0 when it does not say.

    A table of absolute positions is the truth where there is one. The RoBERTa family starts to count after its
    padding index, so 514 rows are 512 positions; the table's `padding_idx` says so.
    """
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            return module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1)
    return int(getattr(model.config, "max_position_embeddings", 0) or 0)
