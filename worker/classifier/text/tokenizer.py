"""From text to token ids: lists at a time, on any thread, and never more of a huge text than its windows need.

A fast tokenizer keeps truncation and padding as state, which `tokenizer(...)` sets on each call: two threads that
call it cut each other's texts. Here both are switched off once, and encoding touches no state; it also releases
the interpreter lock, so a thread can tokenize while another computes.

A comment that spells a structural token ("[SEP]", "<pad>") is read as those characters, or as unknown where the
vocabulary has no other word for them; transformers' default would put the token itself into the model's input. What
people write must not steer it. (`worker.classifier.text.special_tokens` has which tokens these are.)
"""

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from worker.classifier.text.special_tokens import reading_as_characters, split_by_others, structural_ids
from worker.errors import ModelFault

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerBase

CHARACTERS_PER_TOKEN = 8
"""First guess for cutting a huge text. English takes 4 to 5; too low only means a second try."""

SETTLED_TOKENS = 128
"""Tokens past the capacity that must exist before a cut counts as beyond the windows.

Cutting a text changes the tokens near the cut. WordPiece reads words of at most 100 characters, so at most 100 tokens
change there; the pieces of other vocabularies are shorter.
"""

GROWTH = 4

_SURROGATE = re.compile("[\ud800-\udfff]")


def most_characters(capacity: int) -> int:
    """Characters that hold `capacity` tokens of nearly any text."""
    return CHARACTERS_PER_TOKEN * (capacity + SETTLED_TOKENS)


class TextTokenizer:
    """Token ids of texts, without special tokens, cut at a capacity.

    Attributes:
        kept_out: Ids that no text can put into the model's input.
        prefix: Special token ids that the tokenizer puts before a text.
        suffix: Special token ids that it puts after one.
    """

    def __init__(
        self, tokenizer: "PreTrainedTokenizerBase | Tokenizer", *, unknown: int | None, kept_out: Collection[int]
    ) -> None:
        """Read texts with `tokenizer`.

        Args:
            tokenizer: A fast tokenizer, or one of transformers that is written in Python.
            unknown: Id of the token that stands for everything outside the vocabulary.
            kept_out: Ids that no text may put into the model's input; they are read as characters.
        """
        from tokenizers import Tokenizer  # noqa: PLC0415 - slow to import, and not needed to import the classifier

        self.kept_out = frozenset(kept_out) - {unknown}
        self._unknown = unknown
        self._slow: PreTrainedTokenizerBase | None = None
        if isinstance(tokenizer, Tokenizer):
            self._backend = reading_as_characters(tokenizer, kept_out)
            self._backend.no_truncation()
            self._backend.no_padding()
        else:
            self._slow = tokenizer
            self._splits_all = split_by_others(tokenizer, kept_out)
        self.prefix, self.suffix = self._special_ids()

    @classmethod
    def of_checkpoint(cls, tokenizer: "PreTrainedTokenizerBase", rows: int | None = None) -> "TextTokenizer":
        """Read texts with a checkpoint's tokenizer.

        Args:
            tokenizer: The tokenizer, as transformers loads it.
            rows: Number of token ids that have an embedding; None: all have one.
        """
        kept_out = structural_ids(tokenizer)
        if rows is not None:
            kept_out.update(index for index in tokenizer.added_tokens_decoder if index >= rows)
        backend = _copied(tokenizer.backend_tokenizer) if tokenizer.is_fast else None
        return cls(backend or tokenizer, unknown=tokenizer.unk_token_id, kept_out=kept_out)

    def encode(self, texts: Sequence[str], capacity: int) -> list[list[int]]:
        """For each text its first token ids: all of them, or `capacity` and at least one more.

        Lone surrogates, which no tokenizer takes, are read as U+FFFD.
        """
        limit = most_characters(capacity)
        encoded = self._ids([text[:limit] for text in texts])
        for index, text in enumerate(texts):
            cut = limit
            while cut < len(text) and len(encoded[index]) < capacity + SETTLED_TOKENS:
                cut *= GROWTH
                (encoded[index],) = self._ids([text[:cut]])
        return encoded

    def places(self, text: str, capacity: int) -> list[tuple[int, int]] | None:
        """Where in the text each of the tokens is that `encode` gives: `[begin, end)` in code points.

        None for a tokenizer written in Python: those do not say.
        """
        if self._slow is not None:
            return None
        cut = most_characters(capacity)
        found = self._placed(text[:cut])
        while cut < len(text) and len(found) < capacity + SETTLED_TOKENS:
            cut *= GROWTH
            found = self._placed(text[:cut])
        return found

    def whole(self, texts: Sequence[str]) -> list[list[int]]:
        """All token ids of each text, with the special tokens around them."""
        return [[*self.prefix, *ids, *self.suffix] for ids in self._ids(list(texts))]

    def _ids(self, texts: list[str]) -> list[list[int]]:
        try:
            encoded = self._raw_ids(texts)
        except (TypeError, UnicodeEncodeError):
            encoded = self._raw_ids([_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text) for text in texts])
        # SentencePiece vocabularies hold their special tokens as ordinary pieces too.
        return [ids if self.kept_out.isdisjoint(ids) else self._without_kept_out(ids) for ids in encoded]

    def _placed(self, text: str) -> list[tuple[int, int]]:
        # One character for one, so every place stays.
        (encoding,) = self._backend.encode_batch(
            [_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)], add_special_tokens=False
        )
        places: list[tuple[int, int]] = encoding.offsets
        if self._unknown is not None:
            return places
        return [place for index, place in zip(encoding.ids, places, strict=True) if index not in self.kept_out]

    def _without_kept_out(self, ids: list[int]) -> list[int]:
        if self._unknown is None:
            return [index for index in ids if index not in self.kept_out]
        return [self._unknown if index in self.kept_out else index for index in ids]

    def _raw_ids(self, texts: list[str]) -> list[list[int]]:
        if self._slow is not None:
            return [
                self._slow(text, add_special_tokens=False, split_special_tokens=self._splits_all, verbose=False)[
                    "input_ids"
                ]
                for text in texts
            ]
        return [encoding.ids for encoding in self._backend.encode_batch_fast(texts, add_special_tokens=False)]

    def _special_ids(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        for probe in ("a", "1", "."):
            (inner,) = self._raw_ids([probe])
            if self._slow is not None:
                outer = list(self._slow(probe, verbose=False)["input_ids"])
            else:
                outer = self._backend.encode(probe).ids
            for start in range(len(outer) - len(inner) + 1):
                if inner and outer[start : start + len(inner)] == inner:
                    return tuple(outer[:start]), tuple(outer[start + len(inner) :])
        message = "the tokenizer makes no tokens of 'a', '1' or '.': its vocabulary is empty. Save the tokenizer again."
        raise ModelFault(message)


def _copied(backend: "Tokenizer") -> "Tokenizer":
    """A copy of the tokenizer, or itself where a part of it is written in Python.

    Each call of `tokenizer(...)` writes that call's options into the tokenizer it is made of, such as whether special
    tokens are read as characters: one that is shared would read texts as whoever called last wanted them read.
    """
    try:
        return type(backend).from_str(backend.to_str())
    except Exception:  # the library has no class for "a custom part cannot be serialized"
        return backend
