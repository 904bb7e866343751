"""One bad text must not cost its batch: a batch that fails in tokenizer or model is halved until it stands alone.

Bisection needs no help from either: with one bad text among n it takes about 2 log2(n) further calls.
"""

from collections.abc import Sequence
from typing import TypeVar

from worker.errors import SluiceError
from worker.protocols import Classifier, Encoded
from worker.types import Classification, Unscorable

E = TypeVar("E", bound=Encoded)


def encode_isolating(classifier: Classifier[E], texts: Sequence[str]) -> list[E | Unscorable]:
    """Tokenize every text, in order; a text that makes the tokenizer fail on its own comes back as `Unscorable`.

    Raises:
        SluiceError: No text is to blame.
        MemoryError: None is to blame either.
    """
    try:
        return list(classifier.encode(texts))
    except BaseException as fault:
        if not _is_of_a_text(fault):
            raise
        if len(texts) == 1:
            return [Unscorable(type(fault).__name__, "the tokenizer failed on this text alone")]
    middle = len(texts) // 2
    return encode_isolating(classifier, texts[:middle]) + encode_isolating(classifier, texts[middle:])


def score_isolating(classifier: Classifier[E], encoded: Sequence[E]) -> list[Classification | Unscorable]:
    """Score every text, in order; a text that makes the model fail on its own comes back as `Unscorable`.

    Raises:
        SluiceError: The model or its device is broken: no text is to blame.
        MemoryError: No memory even for one text: none is to blame either.
    """
    try:
        return classifier.score(encoded)
    except Exception as fault:
        if not _is_of_a_text(fault):
            raise
        if len(encoded) == 1:
            # Only the kind of the fault: its words may quote the text.
            return [Unscorable(type(fault).__name__, "the model failed on this text alone")]
    middle = len(encoded) // 2
    return score_isolating(classifier, encoded[:middle]) + score_isolating(classifier, encoded[middle:])


def _is_of_a_text(fault: BaseException) -> bool:
    """Whether a text may be to blame. A panic in a tokenizer's Rust is no `Exception`, and its class has no address."""
    if isinstance(fault, SluiceError | MemoryError):
        return False
    return isinstance(fault, Exception) or type(fault).__name__ == "PanicException"
