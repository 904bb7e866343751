"""The report is one file that says what the figures are, shows nothing it was not asked for, and runs nothing."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from tests.unit.quality.report.scored import report_of, scored_texts
from worker.errors import SettingsInvalid
from worker.quality.report.figures import LabelReport
from worker.quality.report.files import check_path, write_report
from worker.quality.report.mistakes import MOST
from worker.quality.report.page import page
from worker.quality.report.slices import LENGTH_NAMES, OTHERS, UNCERTAIN, by_language, by_length

HOSTILE = '<script>alert("1")</script>&"\'><img src=http://example.org/x onerror=y>'
VOID = {"meta", "circle", "path"}


class Read(HTMLParser):
    """Collects tags, attributes and text, and notes tags that are not closed."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def first_label() -> LabelReport:
    return report_of(scored_texts()).labels[0]


def test_nothing_is_fetched_from_anywhere_and_nothing_runs() -> None:
    document = page(report_of(scored_texts(), with_texts=True))
    read = Read(document)
    assert read.wrong == read.open == []
    assert not {"script", "link", "img", "iframe", "object", "embed", "base"} & set(read.tags)
    assert {value for name, value in read.attributes if name in ("src", "href", "srcset", "action")} <= {
        "#label-0",
        "#label-1",
    }
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    assert not re.search(r"https?:|url\(|@import|data:", document)
    assert "default-src 'none'" in document


def test_what_comes_from_files_is_escaped() -> None:
    scored = scored_texts(labels=(HOSTILE, "insult"))
    hostile = [HOSTILE] * len(scored.ids)
    scored = type(scored)(
        *(scored.identity._replace(id=HOSTILE), scored.thresholds, scored.labels, scored.scores, scored.truth),
        *(scored.weights, 0, hostile, hostile, hostile),
    )
    report = report_of(scored, with_texts=True)
    report.origin["data"] = report.origin["data"] | {"file": HOSTILE}
    read = Read(page(report))
    assert read.wrong == read.open == []
    assert not {"script", "img"} & set(read.tags)
    assert HOSTILE in read.text


def test_texts_are_shown_only_if_asked_for_and_ids_always() -> None:
    scored = scored_texts()
    without, with_texts = (page(report_of(scored, with_texts=asked)) for asked in (False, True))
    assert "text number" not in without
    assert "text number" in with_texts
    assert re.search(r"<td>c-\d+</td>", without)
    assert "text number" not in json.dumps(report_of(scored).as_json())


def test_the_page_says_what_a_reader_must_know() -> None:
    text = Read(page(report_of(scored_texts()))).text
    for said in ("mine, revision 1, float32", "sha256:" + "ab" * 32, "mine@1", "counts 3 times", "95 % confidence"):
        assert said in text
    for heading in ("ROC", "Precision and recall", "Reliability", "Threshold sweep", "Confusion", "By language"):
        assert heading in text


def test_the_confusion_of_a_tier_counts_every_text_once() -> None:
    scored, one = scored_texts(), first_label()
    for tier, threshold in ((one.review, 0.4), (one.act, 0.8)):
        reached, has = scored.scores[:, 0] >= threshold, scored.truth[:, 0] > 0
        assert (tier.found, tier.false) == ((reached & has).sum(), (reached & ~has).sum())
        assert (tier.missed, tier.passed) == ((~reached & has).sum(), (~reached & ~has).sum())
        assert tier.precision is not None
        assert tier.precision.low < tier.precision.value < tier.precision.high


def test_a_tier_that_is_never_reached_has_no_precision() -> None:
    act = report_of(scored_texts()).labels[1].act
    assert (act.threshold, act.precision, act.found, act.false) == (None, None, 0, 0)


def test_the_surest_mistakes_come_first() -> None:
    mistakes = first_label().mistakes
    assert [one.score for one in mistakes.false] == sorted((one.score for one in mistakes.false), reverse=True)
    assert [one.score for one in mistakes.missed] == sorted(one.score for one in mistakes.missed)
    assert len(mistakes.false) == len(mistakes.missed) == MOST
    assert all(one.score >= 0.4 for one in mistakes.false)
    assert all(one.score < 0.4 for one in mistakes.missed)


def test_slices_hold_every_text_once_short_before_long_and_many_before_few() -> None:
    one = first_label()
    for slices in (one.by_length, one.by_language):
        assert sum(part.texts for part in slices) == 400
    assert [part.name for part in one.by_length] == list(LENGTH_NAMES)
    assert {part.name for part in one.by_language} == {"en", "de", UNCERTAIN}


def test_a_text_is_in_the_slice_of_its_length() -> None:
    assert by_length(["a" * size for size in (0, 50, 51, 200, 201, 1000, 1001)]) == [
        *[LENGTH_NAMES[0]] * 2,
        *[LENGTH_NAMES[1]] * 2,
        *[LENGTH_NAMES[2]] * 2,
        LENGTH_NAMES[3],
    ]


def test_rare_languages_share_a_slice() -> None:
    many = [f"l{number}" for number in range(20) for _ in range(20 - number)]
    assert OTHERS in by_language(many)
    assert len(set(by_language(many))) == 13


def test_a_label_that_no_text_has_is_still_reported() -> None:
    scored = scored_texts()
    scored.truth[:, 1] = 0
    report = report_of(scored)
    assert report.labels[1].ranking is None
    assert np.isnan(report.confusion[1]).all()
    assert "No ranking" in page(report)
    assert report.as_json()["confusion"][1] == [None, None]


def test_the_figures_stand_beside_the_page_as_json(tmp_path: Path) -> None:
    html, figures = write_report(tmp_path / "quality.html", report_of(scored_texts()))
    assert html.read_text(encoding="utf-8").startswith("<!doctype html>")
    content = json.loads(figures.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert figures.name == "quality.json"
    assert content["format"] == 1
    toxic = content["labels"]["toxic"]
    assert len(toxic["ranking"]["roc"]["low"]) == 101
    assert toxic["review"]["threshold"] == 0.4
    assert content["bands"]["resamples"] == 200


def test_a_report_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"Give it the suffix \.html"):
        check_path(tmp_path / "report.pdf")
    with pytest.raises(SettingsInvalid, match="cannot be written"):
        write_report(tmp_path / "absent" / "report.html", report_of(scored_texts()))
