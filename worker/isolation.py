"""One bad text must not cost its batch: a batch that fails in the model is halved until the bad one stands alone.

Bisection needs no help from the model: with one bad text among n it takes about 2 log2(n) further calls.
"""

from collections.abc import Sequence
from typing import TypeVar

from worker.classification import Classification, Unscorable
from worker.errors import SluiceError
from worker.protocols import Classifier, Encoded

E = TypeVar("E", bound=Encoded)


def score_isolating(classifier: Classifier[E], encoded: Sequence[E]) -> list[Classification | Unscorable]:
    """Score every text, in order; a text that makes the model fail on its own comes back as `Unscorable`.

    Raises:
        SluiceError: The model or its device is broken: no text is to blame.
        MemoryError: No memory even for one text: none is to blame either.
    """
    try:
        return classifier.score(encoded)
    except (SluiceError, MemoryError):
        raise
    except Exception as fault:
        if len(encoded) == 1:
            # Only the kind of the fault: its words may quote the text.
            return [Unscorable(type(fault).__name__, "the model failed on this text alone")]
    middle = len(encoded) // 2
    return score_isolating(classifier, encoded[:middle]) + score_isolating(classifier, encoded[middle:])
