"""Whether a tokenizer and a model belong together, and which of its tokens a text cannot spell."""

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING

from worker.classifier.text.special_tokens import structural_ids
from worker.errors import ModelFault

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

log = logging.getLogger(__name__)

NAMED_TOKENS = 8
"""Tokens that a message names."""


def check_vocabulary(model_id: str, tokenizer: "PreTrainedTokenizerBase", rows: int | None) -> None:
    """Check that the model has an embedding for each token the tokenizer gives.

    Added tokens without one are read as characters, with a warning: somebody added them and never trained them.

    Args:
        model_id: Name of the model, for the message.
        tokenizer: The checkpoint's tokenizer.
        rows: Number of token ids that have an embedding; None: all have one.

    Raises:
        ModelFault: The vocabulary itself is larger than the model's, or a token that every text gets has no embedding.
    """
    if rows is None:
        return
    added = {index: str(token) for index, token in tokenizer.added_tokens_decoder.items()}
    beyond = sorted(index for index in tokenizer.get_vocab().values() if index >= rows)
    around = {index for index in tokenizer("a", verbose=False)["input_ids"] if index in added}
    if foreign := [index for index in beyond if index not in added or index in around]:
        message = (
            f"model {model_id!r}: its tokenizer gives token ids up to {beyond[-1]}, but the model has embeddings for "
            f"{rows} ({len(foreign)} ids have none). The tokenizer belongs to another model: save the right one beside "
            "the weights, or resize the model's embeddings and train them."
        )
        raise ModelFault(message)
    if lost := [added[index] for index in beyond if index not in structural_ids(tokenizer)]:
        log.warning(
            "model %r has no embeddings for %d of its tokenizer's added tokens (%s): they are read as characters",
            *(model_id, len(lost), _named(lost)),
        )


def log_kept_out(model_id: str, tokenizer: "PreTrainedTokenizerBase", kept_out: Collection[int]) -> None:
    """Log which tokens are read as characters when a text spells them."""
    tokens = [str(token) for token in tokenizer.convert_ids_to_tokens(sorted(kept_out))]
    log.info("model %r: read as characters where a text spells them: %s", model_id, _named(tokens))


def _named(tokens: list[str]) -> str:
    more = len(tokens) - NAMED_TOKENS
    return " ".join(tokens[:NAMED_TOKENS]) + (f" and {more} more" if more > 0 else "")
