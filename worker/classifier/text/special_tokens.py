"""Which tokens a text may not put into the model's input, although the tokenizer knows them.

Structural tokens ([CLS], <s>, <pad>, ...) stand where the tokenizer puts them, so one that somebody spells is read as
characters. Everything else is read as the checkpoint reads it: markers that whoever trained it put into the texts
([USER], <url>, @usuario) are often registered as special tokens, and mean what they meant in training. A token
without an embedding is read as characters too: the model cannot take it.
"""

import json
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerBase

STRUCTURAL = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


def structural_ids(tokenizer: "PreTrainedTokenizerBase") -> set[int]:
    """Ids of the tokenizer's structural tokens."""
    tokens = (getattr(tokenizer, name, None) for name in STRUCTURAL)
    ids = (tokenizer.convert_tokens_to_ids(str(token)) for token in tokens if token is not None)
    return {index for index in ids if isinstance(index, int)}


def reading_as_characters(backend: "Tokenizer", kept_out: Collection[int]) -> "Tokenizer":
    """A tokenizer that reads the added tokens in `kept_out` as characters, and only those.

    A fast tokenizer can read either all or none of its special tokens as characters, so what is special is changed:
    in a copy, where it differs.
    """
    added = backend.get_added_tokens_decoder()
    if all(token.special == (index in kept_out) for index, token in added.items()):
        backend.encode_special_tokens = True
        return backend
    state = json.loads(backend.to_str())
    for token in state["added_tokens"]:
        token["special"] = token["id"] in kept_out
    copy = type(backend).from_str(json.dumps(state))
    copy.encode_special_tokens = True
    return copy


def split_by_others(tokenizer: "PreTrainedTokenizerBase", kept_out: Collection[int]) -> bool:
    """Prepare a tokenizer written in Python likewise; whether it must be told to read all its tokens as characters.

    Such a tokenizer reads either all or none of its added tokens as characters, so those kept out are taken from what
    it looks for in a text.
    """
    added = tokenizer.added_tokens_encoder
    if all(index in kept_out for index in added.values()):
        return True
    from transformers.tokenization_python import Trie  # noqa: PLC0415 - takes seconds, and few tokenizers need it

    looked_for = [token for token, index in added.items() if index not in kept_out]
    tokenizer.tokens_trie = Trie(looked_for)  # type: ignore[no-untyped-call] # untyped in the package
    return False
