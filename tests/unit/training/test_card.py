"""The card that ships is what the figures that ship make of its template."""

import json
from pathlib import Path

from training.card import model_card
from training.data import LABELS
from training.shipping import MODEL_FILES, REVISION
from worker.models import embedded_model


def folder() -> Path:
    found = embedded_model("sluice-mini")
    assert found is not None
    return found


def test_the_card_is_made_of_the_figures() -> None:
    figures = json.loads((folder() / "figures.json").read_text(encoding="utf-8"))
    size = sum((folder() / name).stat().st_size for name in MODEL_FILES)
    assert (folder() / "README.md").read_text(encoding="utf-8") == model_card(figures, size)


def test_the_card_says_how_good_each_label_is_and_how_bad_each_group_of_frames() -> None:
    card = (folder() / "README.md").read_text(encoding="utf-8")
    figures = json.loads((folder() / "figures.json").read_text(encoding="utf-8"))
    for label in LABELS:
        found = figures["test"]["labels"][label]
        assert f"| {label} | {found['positives']} | {found['roc_auc']:.4f}" in card
    groups = [name for name in figures["kept"] if name.startswith("frames: ")]
    assert len(groups) > 10
    assert all(f"| {name.removeprefix('frames: ')} |" in card for name in groups)


def test_config_and_card_are_of_this_revision() -> None:
    config = json.loads((folder() / "config.json").read_text(encoding="utf-8"))
    assert config["revision"] == REVISION
