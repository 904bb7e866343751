"""Both tiers are chosen by their rule, too few texts are refused with a number, and the choice can be looked at."""

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from worker.errors import SettingsInvalid
from worker.quality.figures import Vector
from worker.quality.scored_texts import ScoredTexts
from worker.quality.threshold_rules import positives_for_precision
from worker.quality.tiers import Few, LabelTiers, Rule, Targets, choose_tiers
from worker.quality.trade_off import curve, table, trade_off
from worker.quality.trade_off_plot import svg, write_plot
from worker.types import ModelIdentity
from worker.verdicts import ThresholdSet

IDENTITY = ModelIdentity("m", None, "sha256:" + "ab" * 32, "float32")


def scored(*columns: tuple[Vector, Vector], labels: tuple[str, ...] = ("toxic", "threat")) -> ScoredTexts:
    scores, truth = (np.column_stack(part) for part in zip(*columns, strict=True))
    names = labels[: len(columns)]
    return ScoredTexts(IDENTITY, ThresholdSet("any@1", {}), names, scores, truth, np.ones(len(scores)), 0)


def column(positives: int, texts: int = 1000, *, sharp: float = 1.5, seed: int = 3) -> tuple[Vector, Vector]:
    draw = np.random.default_rng(seed)
    truth = np.array([1.0] * positives + [0.0] * (texts - positives))
    return np.round(1 / (1 + np.exp(-(draw.normal(0, 1, texts) + sharp * (4 * truth - 2)))), 6), truth


def chosen(positives: int, targets: Targets = Targets(), few: Few = Few.REFUSE, **how: float) -> LabelTiers:  # noqa: B008 - frozen
    return choose_tiers(scored(column(positives, **how)), targets, few)["toxic"]  # type: ignore[arg-type] # texts is a whole number


def test_act_reaches_its_precision_for_certain_and_review_its_recall() -> None:
    tiers = chosen(200, sharp=0.6)
    assert tiers.act.precision_lower_bound is not None
    assert tiers.act.precision_lower_bound >= 0.9
    assert tiers.review.recall is not None
    assert tiers.review.recall >= 0.9
    assert tiers.review.threshold is not None
    assert tiers.act.threshold is not None
    assert tiers.review.threshold < tiers.act.threshold


def test_what_is_acted_on_is_flagged_also_where_the_recall_rule_would_begin_later() -> None:
    tiers = chosen(200, Targets(precision=0.9, recall=0.5), sharp=1.5)
    assert tiers.review == tiers.act
    assert tiers.act.recall is not None
    assert tiers.act.recall > 0.5


def test_too_few_positives_are_refused_with_how_many_there_are_and_how_many_it_takes() -> None:
    texts = scored(column(200), column(7, seed=4))
    with pytest.raises(SettingsInvalid) as caught:
        choose_tiers(texts, Targets(), Few.REFUSE)
    message = str(caught.value)
    assert f"threat: 7 texts have it, the tier act at precision 0.9 takes {positives_for_precision(0.9)}" in message
    assert "threat: 7 texts have it, the tier review at recall 0.9 takes 10" in message
    assert "toxic:" not in message
    assert choose_tiers(texts, Targets(), Few.NEVER)["threat"].act.threshold is None


def test_a_label_with_enough_for_review_only_is_reviewed_and_never_acted_on() -> None:
    tiers = chosen(12, few=Few.NEVER)
    assert tiers.review.threshold is not None
    assert tiers.act.threshold is None


def test_the_other_rules_choose_one_tier() -> None:
    best = chosen(200, Targets(Rule.BEST_F1))
    assert best.review.threshold is not None
    assert best.act.threshold is None
    precise = chosen(200, Targets(Rule.PRECISION))
    assert precise.review.threshold is None
    assert precise.act.threshold is not None


def test_the_table_shows_both_tiers_between_the_recalls() -> None:
    scores, truth = column(200, sharp=0.6)
    tiers = choose_tiers(scored((scores, truth)), Targets(), Few.REFUSE)["toxic"]
    rows = trade_off(scores, truth, np.ones(len(scores)), tiers)
    thresholds = [row.choice.threshold for row in rows]
    assert None not in thresholds
    assert thresholds == sorted({value for value in thresholds if value is not None}, reverse=True)
    assert {name for row in rows for name in row.tiers} == {"act", "review"}
    lines = list(table("toxic", len(scores), tiers, rows))
    assert lines[0] == "toxic: 200 of 1,000 texts have it"
    (line,) = [line for line in lines if line.strip().startswith("act")]
    assert f"{tiers.act.threshold:.4g}" in line
    assert f"{tiers.act.precision:.3f}" in line


def test_a_tier_that_is_never_reached_is_named_in_the_table() -> None:
    tiers = chosen(0, few=Few.NEVER)
    scores, truth = column(0)
    lines = list(table("toxic", 1000, tiers, trade_off(scores, truth, np.ones(1000), tiers)))
    assert lines == ["toxic: 0 of 1,000 texts have it", "  act: never", "  review: never"]


def test_the_plot_is_one_svg_with_a_panel_and_the_tiers_of_each_label(tmp_path: Path) -> None:
    texts = scored(column(200, sharp=0.6), column(12, seed=4), labels=("<toxic>", "threat"))
    tiers = choose_tiers(texts, Targets(), Few.NEVER)
    curves = {
        label: curve(texts.scores[:, index], texts.truth[:, index], texts.weights)
        for index, label in enumerate(texts.labels)
    }
    assert all(len(points) <= 200 for points in curves.values())
    path = tmp_path / "trade-off.svg"
    write_plot(path, curves, tiers)
    root = ET.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 - our own
    written = "".join(root.itertext())
    assert "<toxic> (200 texts)" in written
    assert "threat (12 texts)" in written
    upright = [node.get("d") for node in root.iter() if node.get("stroke-width") == "1.5"]
    assert len(upright) == 3  # two tiers of the first label, one of the second
    assert "http" not in svg(curves, tiers).replace("http://www.w3.org/2000/svg", "")


def test_a_plot_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"suffix \.svg"):
        write_plot(tmp_path / "plot.png", {}, {})
