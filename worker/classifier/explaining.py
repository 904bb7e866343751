"""Reasons of flagged texts: from where their scores are from to the words that carry each label.

Where the checkpoint has a token head, it has read the tokens in the same pass that scored them. Without one, words are
left out and the rest is scored, as far as the settings ask for it.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
import torch

from worker.classifier.logit_scorer import Evidence
from worker.classifier.text.canonical import canonical
from worker.classifier.text.tokenizer import TextTokenizer, most_characters
from worker.classifier.text.windows import WindowPlan
from worker.errors import Poison
from worker.reasons.leave_out import METHOD, OF_LABEL, Logits, leave_out
from worker.reasons.marked_words import MarkRule, marked_words
from worker.reasons.selection import ToRaw, heaviest, reasons_of
from worker.reasons.spans import LabelReasons, Offsets, Reasons, Span
from worker.reasons.words import Word, words_of

log = logging.getLogger(__name__)


class ScoresWindows(Protocol):
    """The forward pass, as far as leaving out needs it."""

    def logits(self, windows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Logits of each window: float32 [windows, labels] on the CPU, in input order."""


class _Part(NamedTuple):
    """The window of a text, or of its reading, that has the score of some of its labels.

    Attributes:
        text: The text or its reading.
        to_raw: From a span of the reading to one of the text as it was written; None where it is that text itself.
        begin: First character of the window.
        end: The one after its last.
        places: Where each token of the window is in `text`; None when the tokenizer does not say.
        marks: What the token head says of those tokens, [tokens, outputs]; None without one.
        several: Whether the text was read in more windows than this one.
    """

    text: str
    to_raw: ToRaw | None
    begin: int
    end: int
    places: Sequence[Word] | None
    marks: Logits | None
    several: bool

    @property
    def words(self) -> Sequence[Word]:
        """The words in the window."""
        return words_of(self.text, self.begin, self.end)

    def window(self, offsets: Offsets) -> Span | None:
        """Where the window is in the text as it was written; None where it is all of it."""
        if not self.several:
            return None
        return offsets.span(*(self.to_raw(self.begin, self.end) if self.to_raw else (self.begin, self.end)))


class Explainer:
    """Finds the reasons of flagged texts.

    Args:
        tokenizer: The model's.
        plan: How its texts are laid out in windows.
        labels: Names of the model's labels, in its order.
        rule: How the token head's marks become words; None where there is no head, or where it is not to be used.
        forward: Scores windows for leaving out; None where that is not asked for.
        budget_tokens: Tokens that leaving out may compute for one window of a text.
    """

    def __init__(
        self,
        tokenizer: TextTokenizer,
        plan: WindowPlan,
        labels: Sequence[str],
        *,
        rule: MarkRule | None,
        forward: ScoresWindows | None,
        budget_tokens: int,
    ) -> None:
        self._tokenizer = tokenizer
        self._plan = plan
        self._labels = {label: index for index, label in enumerate(labels)}
        self._rule = rule
        self._forward = forward
        self._budget_tokens = budget_tokens

    def explain(self, text: str, labels: Sequence[str], windows: int, evidence: Evidence) -> Reasons | None:
        """The reasons of a flagged text; None where they cannot be found: it keeps its labels whatever happens here.

        Args:
            text: As it was written.
            labels: Its labels.
            windows: Windows of the text as it was written; those of its canonical reading come after them.
            evidence: Where its scores are from.

        Raises:
            SluiceError: The model or its device is broken.
        """
        window_of = {label: evidence.windows[self._labels[label]] for label in labels}
        parts = {
            window: self._part(text, window, windows, evidence.marks.get(window)) for window in set(window_of.values())
        }
        try:
            weighing = self._weighing(parts.values())
            weighed = weighing and {window: weighing.weights(part) for window, part in parts.items()}
        except Poison as error:
            log.warning("the reasons of a text were not found: %s", error)
            return None
        if not weighing or not weighed:
            return None
        offsets = Offsets(text)
        found: dict[str, LabelReasons] = {}
        for label, window in window_of.items():
            part = parts[window]
            weights = weighed[window][:, self._labels[label]].tolist()
            chosen = heaviest(part.words, weights, weighing.of_label)
            spans = reasons_of(text, chosen, offsets, part.to_raw)
            found[label] = LabelReasons(spans, part.window(offsets))
        return Reasons(weighing.method, found)

    def _weighing(self, parts: Iterable[_Part]) -> "_Weighing | None":
        """How to weigh the words of these parts, by the best method that there is for all of them."""
        rule = self._rule
        if rule is not None and all(part.marks is not None and part.places is not None for part in parts):
            return _Weighing(rule.method, rule.of_label, partial(_marked, rule))
        return None if self._forward is None else _Weighing(METHOD, OF_LABEL, self._left_out)

    def _part(self, text: str, window: int, windows: int, marks: torch.Tensor | None) -> _Part:
        to_raw: ToRaw | None = None
        if window >= windows:
            reading = canonical(text, most_characters(self._plan.capacity))
            text, window, to_raw = reading.text, window - windows, reading.raw_span
        places = self._tokenizer.places(text, self._plan.capacity)
        if places is None:
            return _Part(text, to_raw, 0, len(text), None, None, several=False)
        ranges = self._plan.parts(len(places))
        inside = ranges[window]
        own = places[inside.start : inside.stop]
        begin, end = 0, len(text)
        if len(own) < len(places) and own[0][0] < own[-1][1]:
            begin, end = own[0][0], own[-1][1]
        first = len(self._plan.prefix)
        of_own = None if marks is None else marks[first : first + len(own)].numpy()
        return _Part(text, to_raw, begin, end, own, of_own, several=len(ranges) > 1)

    def _left_out(self, part: _Part) -> Logits:
        text = part.text[part.begin : part.end]
        words = [(begin - part.begin, end - part.begin) for begin, end in part.words]
        (ids,) = self._tokenizer.encode([text], self._plan.capacity)
        return leave_out(text, words, self._scores, tokens=len(ids), budget_tokens=self._budget_tokens)

    def _scores(self, texts: Sequence[str]) -> Logits:
        """The highest logit of each label over the windows of each text, [texts, labels]; NaN without a token."""
        assert self._forward is not None  # noqa: S101 - the caller's condition
        windows = [self._plan.windows(ids) for ids in self._tokenizer.encode(texts, self._plan.capacity)]
        rows = self._forward.logits([window for own in windows for window in own]).numpy()
        highest = np.full((len(texts), len(self._labels)), np.nan, np.float32)
        first = 0
        for index, own in enumerate(windows):
            if own:
                highest[index] = rows[first : first + len(own)].max(axis=0)
            first += len(own)
        return highest


class _Weighing(NamedTuple):
    """A way to weigh words: its name, the share of the heaviest word from which one counts, and the weights."""

    method: str
    of_label: float
    weights: Callable[[_Part], Logits]


def _marked(rule: MarkRule, part: _Part) -> Logits:
    assert part.places is not None and part.marks is not None  # noqa: S101, PT018 - the caller's condition
    return marked_words(part.words, part.places, part.marks, rule)
