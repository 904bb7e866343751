"""The model card: the template `card.md` filled from the figures, so that it cannot say anything they do not."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.data import LABELS

TEMPLATE = Path(__file__).with_name("card.md")

Split = dict[str, Any]


def model_card(figures: dict[str, Any], size_bytes: int) -> str:
    """The card in Markdown from what `ship` and `evaluate` measured; `size_bytes` is that of the model's files."""
    test, calibration, recipe = figures["test"], figures["calibration"], figures["recipe"]
    before, after = calibration["validation_before"], calibration["validation_after"]
    low, high = test["mean_roc_auc_95"]
    every, named = test["clean"]["all"], test["clean"]["naming_a_group"]
    return TEMPLATE.read_text(encoding="utf-8").format(
        **{split: f"{count:,}" for split, count in figures["splits"].items()},
        **{name: recipe[name] for name in ("epochs", "learning_rate", "batch_tokens", "max_tokens", "clean_weight")},
        size=size_bytes / 1e6,
        mean_roc_auc=test["mean_roc_auc"],
        low=low,
        high=high,
        mean_average_precision=test["mean_average_precision"],
        quality=_quality(test),
        operating_points=_operating_points(test),
        reliability=_reliability(before, after, test),
        test_clean_weight=test["clean_weight"],
        cut=test["cut_at_512_tokens"],
        best=figures["best_epoch"],
        precision="bfloat16" if recipe["bfloat16"] else "float32",
        toxic_rate=after["labels"]["toxic"]["rate"],
        half=calibration["half_precision_largest_logit_change"],
        clean_flagged=every["flagged"],
        named=named["comments"],
        named_flagged=named["flagged"],
    )


def _quality(test: Split) -> str:
    rows = [
        [
            name,
            str(test["labels"][name]["positives"]),
            "{:.4f} ({:.4f} to {:.4f})".format(test["labels"][name]["roc_auc"], *test["labels"][name]["roc_auc_95"]),
            f"{test['labels'][name]['average_precision']:.3f}",
            f"{test['labels'][name]['recall_at_90_precision']:.3f}",
        ]
        for name in LABELS
    ]
    return _table(["label", "positives", "ROC-AUC", "average precision", "recall at 90 % precision"], rows)


def _operating_points(test: Split) -> str:
    columns = ["threshold", "precision", "recall", "f1"]
    rows = [[name, *(f"{test['labels'][name][column]:.3f}" for column in columns)] for name in LABELS]
    return _table(["label", "threshold", "precision", "recall", "F1"], rows)


def _reliability(before: Split, after: Split, test: Split) -> str:
    splits = {"before": before, "after": after, "test": test}
    header = ["label", "positives on validation", *(f"ECE {name}" for name in splits)]
    rows = [
        [
            name,
            str(before["labels"][name]["positives"]),
            *(f"{split['labels'][name]['calibration_error']:.4f}" for split in splits.values()),
            *(f"{split['labels'][name]['brier']:.4f}" for split in splits.values()),
        ]
        for name in LABELS
    ]
    return _table([*header, *(f"Brier {name}" for name in splits)], rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
