"""The windows that a model is tested on at load: real tokens between the tokenizer's own special tokens."""

from typing import TYPE_CHECKING

from worker.classifier.forward.trial import Sample, TokenTypes
from worker.classifier.text.tokenizer import TextTokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LENGTHS = (3, 8, 12, 17, 25, 40, 67, 130)
"""Tokens of the windows. Models with blocks (BigBird, MRA) or pooling (Funnel) compute in other ways beyond a block, so
there are lengths on both sides of 4, 16, 32, 64 and 128."""

TEXT = (
    "The quick brown fox jumps over the lazy dog, and nobody asked why! Thanks for the edit; it reads much better now. "
    "You are a stupid jerk, go away? Room 12 at 7:30, see http://example.org or mail me. C'est très bien, até logo, "
    "schöne Grüße, привет, 你好 and 🙂. "
)
"""Words, numbers, punctuation and a few scripts, so that the tokens differ from each other in any vocabulary."""


def sample_of(tokenizer: "PreTrainedTokenizerBase", texts: TextTokenizer, max_tokens: int) -> Sample:
    """Windows of several lengths, up to `max_tokens`, and the token types that the tokenizer gives with them.

    Args:
        tokenizer: The checkpoint's tokenizer.
        texts: The same, as the classifier reads texts.
        max_tokens: Tokens that a window may hold, special tokens included; more than there are special tokens.
    """
    (ids,) = texts.encode([TEXT], max_tokens)
    ids *= 1 + 2 * max(LENGTHS) // max(len(ids), 1)
    special = len(texts.prefix) + len(texts.suffix)
    lengths = {max(min(length, max_tokens), special + 1) for length in LENGTHS}
    windows: list[list[int]] = []
    for length in sorted(lengths):
        # Each starts where the one before it ends, so that they read different words.
        start = sum(map(len, windows)) % (len(ids) - length + special + 1)
        windows.append([*texts.prefix, *ids[start : start + length - special], *texts.suffix])
    return Sample(windows, _types(tokenizer, texts))


def _types(tokenizer: "PreTrainedTokenizerBase", texts: TextTokenizer) -> TokenTypes | None:
    types = tokenizer("a", verbose=False).get("token_type_ids")
    if not types or not any(types):
        return None
    start, end = len(texts.prefix), len(types) - len(texts.suffix)
    return TokenTypes(tuple(types[:start]), types[start], tuple(types[end:]))
