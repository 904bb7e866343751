"""Watches how many comments get each label, against the recent past and against configured bands.

A broken model, a wrong threshold set, another language or an attack all show first as a label that comes much more
often, or hardly ever. Where events are acted on without a person, a worker can stop on it (`flag_rate.stop`).

Shares are counted per batch, over the newest records and over those before them. One is out of the ordinary only if
it surely is: its whole 95 % interval (Wilson 1927) lies outside the band, or beyond the factor from the whole interval
of its past. So few comments, and rare labels, raise no alarm by chance.
"""

import logging
import math
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from worker.errors import FlagRateOff, SettingsInvalid
from worker.facts import FlagRate, Ordinary
from worker.settings import FlagRateSettings
from worker.types import Labelled, Outcome

_LOOKS_PER_WINDOW = 10
"""Looks at the shares while as many records come as a window holds: small batches don't each pay for one."""

_TWO_SIDED_95 = 1.959963984540054
"""Standard normal quantile of an interval with 95 % confidence."""

log = logging.getLogger(__name__)


def check_bands(settings: FlagRateSettings, labels: Sequence[str]) -> None:
    """Refuse bands for labels that the model does not have.

    Raises:
        SettingsInvalid: There are such.
    """
    if unknown := [label for label in settings.bands if label not in labels]:
        message = (
            f"flag_rate.bands names labels that the model does not have: {', '.join(unknown)}. "
            f"The model's labels are: {', '.join(labels)}"
        )
        raise SettingsInvalid(message)


class FlagRates:
    """The shares of one worker; used by the thread that publishes.

    Args:
        settings: Windows, factor, bands, and whether to stop.
        labels: The model's labels, in its order.

    Raises:
        SettingsInvalid: There is a band for a label that the model does not have.
    """

    def __init__(self, settings: FlagRateSettings, labels: Sequence[str]) -> None:
        check_bands(settings, labels)
        self._settings = settings
        self._labels = tuple(labels)
        self._begin()

    def follow(self, labels: Sequence[str]) -> None:
        """Another model gives the labels from now on. If they are the same, the past is what it is compared with."""
        if tuple(labels) != self._labels:
            self._labels = tuple(labels)
            self._begin()

    def _begin(self) -> None:
        self._recent = _Counts(self._labels)
        self._past = _Counts(self._labels)
        self._unseen = 0
        self._rates: dict[str, FlagRate] = {}

    def admit(self, outcomes: Sequence[Outcome]) -> None:
        """Count the outcomes of a batch that is about to be published.

        Raises:
            FlagRateOff: With these a share is out of the ordinary, and the worker is to stop on it.
        """
        labels = Counter([outcome.classification.labels for outcome in outcomes if type(outcome) is Labelled])
        records = labels.total()
        if not records:
            return
        self._recent.add(records, labels)
        for left in self._recent.keep(self._settings.window_records):
            self._past.add(*left)
        self._past.keep(self._settings.past_records)
        self._unseen += records
        window = self._settings.window_records
        if self._recent.records >= window and self._unseen * _LOOKS_PER_WINDOW >= window:
            self._unseen = 0
            self._look()

    def facts(self) -> Mapping[str, FlagRate]:
        """The share of each label, as of the last look; empty until a window is full."""
        return self._rates

    def _look(self) -> None:
        before = self._rates
        self._rates = {label: self._rate(label) for label in self._recent.flagged}
        for label, rate in self._rates.items():
            was = before[label].ordinary if label in before else Ordinary.YES
            if rate.ordinary is was:
                continue
            if rate.ordinary is Ordinary.YES:
                log.info("the share of comments labelled %s is ordinary again: %s", label, _percent(rate.share))
                continue
            what = self._what(label, rate)
            log.warning("%s", what)
            if self._settings.stop:
                message = (
                    f"{what}: flag_rate.stop stopped the worker and did not publish this batch. See whether the "
                    "comments or the model changed (`sluice watch --flagged`), then start again; change "
                    "flag_rate.bands or flag_rate.factor only if such a share is to be expected"
                )
                raise FlagRateOff(message)

    def _rate(self, label: str) -> FlagRate:
        share, past = self._recent.share(label), None
        ordinary = Ordinary.YES
        if self._past.records >= self._settings.window_records:
            past = self._past.share(label)
            if self._is_off_its_past(label, share, past):
                ordinary = Ordinary.NOT_FOR_ITS_PAST
        if label in self._settings.bands and self._is_off_its_band(label):
            ordinary = Ordinary.NOT_FOR_ITS_BAND
        return FlagRate(share, past, ordinary)

    def _is_off_its_past(self, label: str, share: float, past: float) -> bool:
        factor = self._settings.factor
        if past <= factor * share and share <= factor * past:
            return False  # nearly always, and without the cost of two intervals
        low, high = self._recent.interval(label)
        past_low, past_high = self._past.interval(label)
        return low > factor * past_high or factor * high < past_low

    def _is_off_its_band(self, label: str) -> bool:
        low, high = self._recent.interval(label)
        lowest, highest = self._settings.bands[label]
        return low > highest or high < lowest

    def _what(self, label: str, rate: FlagRate) -> str:
        last = f"{_percent(rate.share)} of the last {self._recent.records:,} comments are labelled {label}"
        if rate.ordinary is Ordinary.NOT_FOR_ITS_BAND:
            low, high = self._settings.bands[label]
            return f"{last}, outside flag_rate.bands ({_percent(low)} to {_percent(high)})"
        return f"{last}, and {_percent(rate.past or 0.0)} of the {self._past.records:,} before them were"


class _Batch(NamedTuple):
    records: int
    labels: Counter[tuple[str, ...]]


class _Counts:
    """Records, and those with each label, of consecutive batches."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.records = 0
        self.flagged = dict.fromkeys(labels, 0)
        self._batches: deque[_Batch] = deque()

    def add(self, records: int, labels: Counter[tuple[str, ...]]) -> None:
        self._batches.append(_Batch(records, labels))
        self._count(records, labels, 1)

    def keep(self, records: int) -> list[_Batch]:
        """Take out, and return, the oldest batches without which so many records are left."""
        left = []
        while self._batches and self.records - self._batches[0].records >= records:
            oldest = self._batches.popleft()
            self._count(-oldest.records, oldest.labels, -1)
            left.append(oldest)
        return left

    def share(self, label: str) -> float:
        return self.flagged[label] / self.records

    def interval(self, label: str) -> tuple[float, float]:
        """Wilson's interval of the share, with 95 % confidence."""
        n, share, z2 = self.records, self.share(label), _TWO_SIDED_95**2
        middle = share + z2 / (2 * n)
        reach = _TWO_SIDED_95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
        return max(0.0, (middle - reach) / (1 + z2 / n)), (middle + reach) / (1 + z2 / n)

    def _count(self, records: int, labels: Counter[tuple[str, ...]], sign: int) -> None:
        self.records += records
        for given, count in labels.items():
            for label in given:
                self.flagged[label] += sign * count


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
