"""A label that surely comes more or less often than it did, or than it may, is noticed; chance is not."""

import logging
import random

import pytest
from pydantic import ValidationError

from testkit.records import ASSIGNMENT, comment_record
from worker.errors import FlagRateOff, SettingsInvalid
from worker.facts import Ordinary
from worker.settings import FlagRateSettings
from worker.settings.configuration import load
from worker.stream.flag_rate import FlagRates
from worker.types import Classification, Labelled, Outcome, Rejected, Skipped, Stage, TextFacts

LABELS = ("toxic", "insult")
RECORD = comment_record("1", "x")
FEW = FlagRateSettings(window_records=1000, past_records=10_000)


def labelled(*labels: str) -> Outcome:
    return Labelled(RECORD, ASSIGNMENT, "1", "x", Classification({}, labels, TextFacts(1, 1, False)))


CLEAN, TOXIC = labelled(), labelled("toxic")


def comments(records: int, share: float) -> list[Outcome]:
    """So many, of which the share is toxic, spread evenly."""
    flagged = round(records * share)
    return [TOXIC if (n * flagged) % records < flagged else CLEAN for n in range(records)]


def watched(settings: FlagRateSettings, *shares: float) -> FlagRates:
    """One that has seen, for each of the shares, a thousand comments in batches of 100."""
    rates = FlagRates(settings, LABELS)
    for share in shares:
        see(rates, comments(1000, share))
    return rates


def see(rates: FlagRates, outcomes: list[Outcome], batch: int = 100) -> None:
    for start in range(0, len(outcomes), batch):
        rates.admit(outcomes[start : start + batch])


@pytest.mark.parametrize(
    ("share", "ordinary"),
    [
        (0.05, Ordinary.YES),
        (0.10, Ordinary.YES),
        (0.14, Ordinary.YES),
        (0.30, Ordinary.NOT_FOR_ITS_PAST),
        (1.0, Ordinary.NOT_FOR_ITS_PAST),
        (0.03, Ordinary.YES),
        (0.005, Ordinary.NOT_FOR_ITS_PAST),
        (0.0, Ordinary.NOT_FOR_ITS_PAST),
    ],
)
def test_a_share_is_compared_with_that_of_the_comments_before(share: float, ordinary: Ordinary) -> None:
    rates = watched(FEW, *[0.05] * 5, share).facts()
    assert rates["toxic"].ordinary is ordinary
    assert rates["toxic"].share == pytest.approx(share)
    assert rates["toxic"].past == pytest.approx(0.05)
    assert rates["insult"].ordinary is Ordinary.YES


def test_a_flood_is_noticed_within_a_part_of_a_window() -> None:
    rates = watched(FEW, *[0.05] * 5)
    see(rates, [TOXIC] * 200)
    assert rates.facts()["toxic"].ordinary is Ordinary.NOT_FOR_ITS_PAST


def test_a_few_flags_of_a_label_that_never_came_are_no_alarm() -> None:
    rates = watched(FEW, *[0.0] * 10)
    see(rates, comments(1000, 0.002))
    assert rates.facts()["toxic"].ordinary is Ordinary.YES
    see(rates, comments(1000, 0.05))
    assert rates.facts()["toxic"].ordinary is Ordinary.NOT_FOR_ITS_PAST


@pytest.mark.parametrize("share", [0.0005, 0.01, 0.1, 0.5])
@pytest.mark.parametrize("batch", [1, 256])
def test_chance_raises_no_alarm(share: float, batch: int) -> None:
    draw = random.Random(17)
    rates = FlagRates(FlagRateSettings(stop=True), LABELS)
    see(rates, [TOXIC if draw.random() < share else CLEAN for _ in range(60_000)], batch)
    assert rates.facts()["toxic"].ordinary is Ordinary.YES


def test_nothing_is_said_before_there_are_comments_enough() -> None:
    rates = FlagRates(FEW, LABELS)
    see(rates, comments(900, 0.5))
    assert rates.facts() == {}
    see(rates, comments(100, 0.5))
    assert rates.facts()["toxic"].past is None
    see(rates, comments(900, 0.0))
    assert rates.facts()["toxic"].ordinary is Ordinary.YES


def test_a_share_that_stays_becomes_the_past(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    rates = watched(FEW, *[0.02] * 10, *[0.3] * 10)
    assert rates.facts()["toxic"].ordinary is Ordinary.YES
    begun, ended = caplog.messages
    assert "labelled toxic, and 2 % of the 9,300 before them were" in begun
    assert "labelled toxic is ordinary again" in ended


def test_a_band_needs_no_past_and_holds_on_both_sides() -> None:
    settings = FlagRateSettings(window_records=1000, past_records=1000, bands={"toxic": (0.02, 0.2)})
    for share, ordinary in (
        (0.0, Ordinary.NOT_FOR_ITS_BAND),
        (0.015, Ordinary.YES),
        (0.1, Ordinary.YES),
        (0.22, Ordinary.YES),
        (0.3, Ordinary.NOT_FOR_ITS_BAND),
    ):
        assert watched(settings, share).facts()["toxic"].ordinary is ordinary, share


def test_records_that_got_no_verdict_count_for_nothing() -> None:
    rates = FlagRates(FEW, LABELS)
    rejected = Rejected(RECORD, ASSIGNMENT, Stage.VALIDATE, "IdMissing", "no id")
    see(rates, [rejected, Skipped(RECORD, ASSIGNMENT)] * 2000)
    assert rates.facts() == {}
    see(rates, [outcome for one in comments(1000, 0.25) for outcome in (one, rejected)])
    assert rates.facts()["toxic"].share == pytest.approx(0.25)


def test_a_worker_that_is_to_stop_says_what_is_out_of_the_ordinary_and_what_to_do() -> None:
    rates = watched(FlagRateSettings(window_records=1000, past_records=5000, stop=True), *[0.01] * 5)
    with pytest.raises(FlagRateOff, match=r"labelled toxic, and 1 % of the .* before them.*sluice watch --flagged"):
        see(rates, [TOXIC] * 1000)
    banded = FlagRates(FlagRateSettings(bands={"toxic": (0, 0.1)}, stop=True), LABELS)
    with pytest.raises(FlagRateOff, match=r"outside flag_rate.bands \(0 % to 10 %\)"):
        see(banded, [TOXIC] * 1000)


def test_without_that_setting_it_goes_on() -> None:
    watched(FEW, *[0.01] * 5, 1.0, 1.0)


def test_a_band_for_a_label_that_the_model_does_not_have_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match=r"does not have: toxik.*labels are: toxic, insult"):
        FlagRates(FlagRateSettings(bands={"toxik": (0, 1)}), LABELS)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"bands": {"toxic": [0.2, 0.1]}}, "lower share first"),
        ({"bands": {"toxic": [0.2, 1.1]}}, "less than or equal to 1"),
        ({"bands": '{"toxic"'}, "not JSON"),
        ({"past_records": 500}, "at least flag_rate.window_records"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        FlagRateSettings.model_validate(settings)


def test_bands_are_read_from_variables_and_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_FLAG_RATE__BANDS", '{"toxic": [0.01, 0.2]}')
    assert load().flag_rate.bands == {"toxic": (0.01, 0.2)}
    assert load(flags={"flag_rate.bands": '{"insult": [0, 0.1]}'}).flag_rate.bands == {"insult": (0, 0.1)}
