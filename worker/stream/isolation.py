"""One bad text must not cost its batch: a batch that fails in tokenizer or model is halved until the text stands alone.

Bisection needs no help from either: with one bad text among n it takes about 2 log2(n) further calls. The worker
tokenizes on one thread and scores on others, so it calls the two halves of `classify_isolating` itself.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from worker.errors import Poison, SluiceError
from worker.protocols import Classifier, Encoded
from worker.types import Classification, Unscorable

E = TypeVar("E", bound=Encoded)
T = TypeVar("T")
R = TypeVar("R")


def classify_isolating(classifier: Classifier[E], texts: Sequence[str]) -> list[Classification | Unscorable]:
    """Tokenize and score every text, in order; a text that makes either fail on its own comes back as `Unscorable`.

    Raises:
        SluiceError: The model or its device is broken: no text is at fault.
        MemoryError: No memory even for one text: no text is at fault either.
    """
    encoded = encode_isolating(classifier, texts)
    scored = iter(score_isolating(classifier, [one for one in encoded if not isinstance(one, Unscorable)]))
    return [one if isinstance(one, Unscorable) else next(scored) for one in encoded]


def encode_isolating(classifier: Classifier[E], texts: Sequence[str]) -> list[E | Unscorable]:
    """Tokenize every text, in order; raises and returns as `classify_isolating`."""
    return _isolating("the tokenizer", classifier.encode, texts)


def score_isolating(classifier: Classifier[E], encoded: Sequence[E]) -> list[Classification | Unscorable]:
    """Score every text, in order; raises and returns as `classify_isolating`."""
    return _isolating("the model", classifier.score, encoded)


def _isolating(what: str, call: Callable[[Sequence[T]], list[R]], items: Sequence[T]) -> list[R | Unscorable]:
    if not items:
        return []
    try:
        return [*call(items)]
    except BaseException as error:
        if not _may_be_a_texts_fault(error):
            raise
        if len(items) == 1:
            return [_unscorable(what, error)]
    middle = len(items) // 2
    return _isolating(what, call, items[:middle]) + _isolating(what, call, items[middle:])


def _unscorable(what: str, error: BaseException) -> Unscorable:
    """The words of a `Poison` never quote a text, and its cause is what happened; those of any other error may."""
    if isinstance(error, Poison):
        return Unscorable(type(error.__cause__ or error).__name__, f"{what} failed on this text alone: {error}")
    return Unscorable(type(error).__name__, f"{what} failed on this text alone")


def _may_be_a_texts_fault(error: BaseException) -> bool:
    """A panic in a tokenizer's Rust is no `Exception`, and its class cannot be imported by name."""
    if isinstance(error, SluiceError | MemoryError):
        return False
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"
