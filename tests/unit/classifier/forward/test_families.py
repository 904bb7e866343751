"""Families that are unlike BERT score as plain transformers does, or are refused; `make sweep` checks all there are."""

import logging
from pathlib import Path

import pytest

from tests.parity.check import check_family, compare, plain_scores
from tests.parity.families import CLASSES, make_family


@pytest.mark.parametrize(
    ("family", "automatic"),
    [
        ("bart", "bfloat16"),  # encoder and decoder; refuses a text without its end token
        ("t5", "bfloat16"),
        ("funnel", "bfloat16"),  # refuses texts of a few tokens; token types of its own
        ("xlnet", "bfloat16"),  # token types of its own
        ("big_bird", "bfloat16"),  # other attention for long texts
        ("fnet", "float32"),  # has no mask, and does not compute in bfloat16
    ],
)
def test_a_family_scores_as_plain_transformers_alone_and_in_company(family: str, automatic: str) -> None:
    outcome = check_family(family)
    assert (outcome.verdict, outcome.automatic) == ("right", automatic), outcome


def test_a_model_that_gives_every_text_the_same_scores_is_refused() -> None:
    outcome = check_family("mra")
    assert outcome.verdict == "refused"
    assert "every text the same scores" in outcome.remark


def test_a_model_whose_scores_cannot_be_repeated_is_refused() -> None:
    outcome = check_family("reformer")
    assert outcome.verdict == "refused"
    assert "other scores each time" in outcome.remark


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_padding_id_without_an_embedding_is_not_used(family: str, tmp_path: Path) -> None:
    make_family(tmp_path, family, pad_token_id=-1)
    assert compare(family, tmp_path, plain_scores(tmp_path)).verdict == "right"


def test_a_model_that_needs_more_than_text_is_refused_with_a_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_family(tmp_path, "xmod")
    expected = plain_scores(tmp_path)
    config = (tmp_path / "config.json").read_text().replace('"default_language": "en_XX"', '"default_language": null')
    (tmp_path / "config.json").write_text(config)
    with caplog.at_level(logging.WARNING):
        outcome = compare("xmod", tmp_path, expected)
    assert outcome.verdict == "refused"
    assert "cannot compute a text" in outcome.remark


def test_the_documented_table_names_every_class_of_the_installed_transformers() -> None:
    text = (Path(__file__).parents[4] / "docs/reference/architectures.md").read_text(encoding="utf-8")
    assert [family for family in CLASSES if f"| {family} | {CLASSES[family]} |" not in text] == []
