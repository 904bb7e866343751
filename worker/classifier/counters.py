"""What a classifier has done so far."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from worker.classifier.encoded_text import EncodedText
from worker.types import Classification, Unscorable


@dataclass(slots=True)
class Counters:
    """Counts that only grow; any thread may read them, for metrics.

    Attributes:
        texts: Texts scored, repeats included.
        windows: Windows computed.
        computed_tokens: Tokens computed, special tokens included, padding not.
        duplicate_texts: Texts that shared the computation of an equal text in the same call.
        cache_hits: Texts answered from the score cache.
        viewed_texts: Texts computed in two readings, as they were written and as they are read.
        truncated_texts: Texts longer than their windows.
        unscorable_texts: Texts without a finite score.
    """

    texts: int = 0
    windows: int = 0
    computed_tokens: int = 0
    duplicate_texts: int = 0
    cache_hits: int = 0
    viewed_texts: int = 0
    truncated_texts: int = 0
    unscorable_texts: int = 0

    def add(
        self,
        encoded: Sequence[EncodedText],
        computed: Collection[EncodedText],
        results: Sequence[Classification | Unscorable],
    ) -> None:
        """Count texts, those of them that were computed, and their results."""
        self.texts += len(encoded)
        self.windows += sum(len(text.windows) for text in computed)
        self.viewed_texts += sum(text.view is not None for text in computed)
        self.computed_tokens += sum(text.tokens for text in computed)
        self.truncated_texts += sum(text.facts.truncated for text in encoded)
        self.unscorable_texts += sum(isinstance(result, Unscorable) for result in results)
