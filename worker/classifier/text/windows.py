"""Windows: how a text longer than the model's limit is read in overlapping parts.

A cut at the limit would be an evasion hole (a page of praise, then the abuse), so long texts are scored window by
window and each label takes its highest score. Neighbours overlap, or a phrase on the seam would be read by neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """How a text's tokens are laid out in windows.

    Attributes:
        prefix: Special token ids before the text in each window ([CLS], <s>).
        suffix: Special token ids after it ([SEP], </s>).
        max_tokens: Tokens a window holds, special tokens included.
        overlap: Text tokens that neighbouring windows share; more than half of a window's text counts as half,
            so a text never costs more than twice its tokens.
        max_windows: Windows scored of one text; the rest is cut.
    """

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    max_tokens: int
    overlap: int
    max_windows: int

    def __post_init__(self) -> None:
        if self.content <= 0 or self.max_windows < 1 or self.overlap < 0:
            message = (
                f"no text fits in {self.max_windows} windows of {self.max_tokens} tokens with overlap {self.overlap}"
            )
            raise ValueError(message)

    @property
    def content(self) -> int:
        """Text tokens a window holds."""
        return self.max_tokens - len(self.prefix) - len(self.suffix)

    @property
    def stride(self) -> int:
        """Text tokens from the start of one window to the start of the next."""
        return self.content - min(self.overlap, self.content // 2)

    @property
    def capacity(self) -> int:
        """Text tokens that all windows of one text hold."""
        return self.content + (self.max_windows - 1) * self.stride

    def parts(self, tokens: int) -> list[range]:
        """Which of a text's tokens each window holds, given how many tokens the text has."""
        tokens = min(tokens, self.capacity)
        if tokens <= self.content:
            return [range(tokens)]
        starts = range(0, tokens - self.content + self.stride, self.stride)
        return [range(start, min(start + self.content, tokens)) for start in starts]

    def windows(self, ids: Sequence[int]) -> list[list[int]]:
        """Windows over the first `capacity` of the text's token ids; one window for a text without any.

        A text without tokens in a vocabulary without special tokens has no window at all.
        """
        ids = ids[: self.capacity]
        if len(ids) <= self.content:
            window = [*self.prefix, *ids, *self.suffix]
            return [window] if window else []
        return [[*self.prefix, *ids[part.start : part.stop], *self.suffix] for part in self.parts(len(ids))]
