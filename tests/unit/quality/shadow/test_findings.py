"""What `sluice shadow report` makes of metrics and of examples."""

import json
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from tests.unit.shadow.made import CANDIDATE, INCUMBENT, event, scorer, verdict
from worker.__main__ import main
from worker.observability.shadow_metrics import DIFFERENCES, ShadowMetrics
from worker.quality.shadow.comparison import Findings, Flags, change_of
from worker.quality.shadow.page import page
from worker.quality.shadow.published import read_examples
from worker.quality.shadow.scraped import read_metrics
from worker.settings import ExamplesKept
from worker.shadow.comparison import Compared, compare
from worker.shadow.counting import Tally
from worker.shadow.examples import example

SAMPLED = [
    compare(event(1, "toxic"), verdict("toxic", acted=["toxic"], toxic=0.9, insult=0.5)),
    compare(event(2, "toxic"), verdict("insult", toxic=0.1, insult=0.7)),
    compare(event(3), verdict(toxic=0.5, insult=0.5)),
    compare(event(4), verdict("insult", toxic=0.4999, insult=0.7)),
]


def scraped(compared: list[Compared], candidate: Any = CANDIDATE) -> str:
    registry = CollectorRegistry()
    metrics = ShadowMetrics(registry)
    metrics.sampled.inc(len(compared) + 1)
    metrics.missed.labels("behind").inc(1)
    Tally(metrics, candidate, ExamplesKept.ALL, None).count(compared)
    return generate_latest(registry).decode()


def examples(compared: list[Compared], kept: ExamplesKept) -> list[bytes]:
    some = [(one, one.differing(("toxic", "insult"))) for one in compared]
    return [
        json.dumps(example(one, CANDIDATE, differing, kept, 1_790_000_000.0)).encode()
        for one, differing in some
        if differing or kept is ExamplesKept.ALL
    ]


def figures(findings: Findings) -> Any:
    (one,) = findings.comparisons
    return one.compared, {
        label: (found.review, found.act, found.differences, pytest.approx(found.total_difference))
        for label, found in one.labels.items()
    }


def test_metrics_and_examples_of_the_same_comments_say_the_same() -> None:
    found = read_metrics({"worker": scraped(SAMPLED)})
    assert figures(found) == figures(read_examples(examples(SAMPLED, ExamplesKept.ALL), "topic"))
    compared, labels = figures(found)
    assert compared == 4
    assert labels["toxic"][:2] == (Flags(incumbent=1, both=1), Flags(candidate=1))
    assert labels["insult"][0] == Flags(candidate=2)
    assert sum(labels["toxic"][2]) == 4
    assert labels["toxic"][2][DIFFERENCES.index(0.005)] == 2, "0 and -0.0001 are between -0.005 and 0.005"


def test_workers_are_summed_and_pairs_are_not() -> None:
    successor = scorer("successor", "toxic", "insult", digit="c")
    other = [compare(one.sampled._replace(incumbent=successor), one.candidate) for one in SAMPLED[:1]]
    found = read_metrics({"a": scraped(SAMPLED), "b": scraped([*SAMPLED, *other])})
    assert {one.incumbent: one.compared for one in found.comparisons} == {INCUMBENT.name: 8, successor.name: 1}
    assert found.comparisons[0].models, "a pair that is compared now comes first"
    assert found.sampled == 11
    assert found.waiting == 0
    assert found.missed == {"behind": 2}


def test_precisions_and_readings_of_one_model_are_compared_apart_in_metrics_and_in_examples() -> None:
    rounded = CANDIDATE._replace(identity=CANDIDATE.identity._replace(precision="int8"))
    reading = CANDIDATE._replace(view="canonical@1")
    several = (CANDIDATE, rounded, reading)
    names = {
        "bbbbbbbbbbbb/float32/default@1",
        "bbbbbbbbbbbb/int8/default@1",
        "bbbbbbbbbbbb/float32+canonical@1/default@1",
    }
    found = read_metrics({one.name: scraped(SAMPLED, one) for one in several})
    assert {one.candidate for one in found.comparisons} == names
    values = [json.dumps(example(SAMPLED[0], one, [], ExamplesKept.ALL, 1_790_000_000.0)).encode() for one in several]
    assert {one.candidate for one in read_examples(values, "topic").comparisons} == names


def test_examples_of_differences_alone_say_no_share() -> None:
    values = examples(SAMPLED, ExamplesKept.DIFFERING)
    found = read_examples([*values, *values, None, b"{}"], "topic")
    (one,) = found.comparisons
    assert one.compared is None
    assert one.labels["insult"].review == Flags(candidate=2), "an example that came twice counts once"
    assert found.missed == {"not-an-example": 2}
    assert one.as_json()["labels"]["insult"]["review"]["change"] is None


def test_labels_of_one_model_only_are_named_and_get_no_change() -> None:
    spam = scorer("candidate", "toxic", "spam", digit="b")
    some = [compare(event(1, "insult"), verdict("spam", toxic=0.5, spam=0.9))]
    (one,) = read_metrics({"worker": scraped(some, spam)}).comparisons
    assert one.only_in == {"incumbent": ["insult"], "candidate": ["spam"]}
    assert [label.label for label in one.shared()] == ["toxic"]
    assert one.share(one.labels["spam"], "review", "incumbent") is None, "a model does not flag what it does not know"
    assert one.share(one.labels["spam"], "review", "candidate") == 1
    assert one.as_json()["labels"]["spam"]["review"] == {"incumbent": 0, "candidate": 1, "both": 0, "change": None}


def test_a_change_is_sure_only_where_differences_lean_to_one_side() -> None:
    even = change_of(Flags(incumbent=20, candidate=20, both=500), 10_000)
    leaning = change_of(Flags(incumbent=2, candidate=38, both=500), 10_000)
    assert even is not None
    assert leaning is not None
    assert even.low < 0 < even.high
    assert leaning.value == pytest.approx(0.0036)
    assert leaning.low > 0
    assert change_of(Flags(), 0) is None
    same = change_of(Flags(both=30), 300)
    assert same is not None
    assert same.low < -0.005, "300 comments without a difference do not say that there is none"


def test_the_page_asks_nobody_for_anything_and_escapes_what_it_shows(tmp_path: Path) -> None:
    foul = scorer("<script>alert(1)</script>", "toxic", "insult", digit="b")
    text = page(read_metrics({"<b>worker</b>": scraped(SAMPLED, foul)}))
    assert "<script" not in text
    assert "<b>worker" not in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "default-src 'none'" in text
    assert text.count("<svg") == 4 + 2, "a bar for each tier of each label, a histogram for each label"
    file = tmp_path / "shadow.html"
    metrics = tmp_path / "metrics.txt"
    metrics.write_text(scraped(SAMPLED), encoding="utf-8")
    assert main(["shadow", "report", "--metrics", str(metrics), "--html", str(file)]) == 0
    assert file.read_text(encoding="utf-8").count("<svg") == 6


def test_the_command_prints_a_table_or_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = tmp_path / "metrics.txt"
    metrics.write_text(scraped(SAMPLED), encoding="utf-8")
    assert main(["shadow", "report", "--metrics", str(metrics)]) == 0
    printed = capsys.readouterr().out
    assert "5 label events sampled, 0 wait; missed: behind 1" in printed
    (line,) = [line for line in printed.splitlines() if line.startswith("toxic")]
    assert line.split()[:7] == ["toxic", "review", "1", "0", "1", "50.00", "%"]

    values = tmp_path / "examples.jsonl"
    values.write_bytes(b"\n".join(examples(SAMPLED, ExamplesKept.ALL)) + b"\n")
    assert main(["shadow", "report", "--examples", str(values), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["comparisons"][0]["labels"]["toxic"]["act"]["candidate"] == 1


def test_what_is_no_source_is_refused_with_what_to_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("sluice_shadow_up{ nonsense", encoding="utf-8")
    lacking = tmp_path / "lacking.txt"
    lacking.write_text(scraped(SAMPLED).replace(',tier="review"', ""), encoding="utf-8")
    for arguments, said in (
        (["--metrics", str(lacking)], f"{lacking} holds sluice_shadow_flagged_total without the label 'tier'"),
        (["--metrics", str(wrong)], "does not hold metrics"),
        (["--metrics", str(tmp_path / "missing")], "cannot be read"),
        (["--metrics", "http://127.0.0.1:1"], "does not answer"),
        (["--examples"], "name the topic"),
        (["--examples", "--metrics", "x"], "two sources"),
        (["--html", "report.txt"], "suffix .html"),
    ):
        assert main(["shadow", "report", *arguments]) == 2
        assert said in capsys.readouterr().err
