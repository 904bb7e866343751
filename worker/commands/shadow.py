"""`sluice shadow report`: how a candidate would label, beside the model in use."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from worker.errors import SettingsInvalid
from worker.settings import Settings

if TYPE_CHECKING:
    from worker.quality.shadow.comparison import Comparison, Findings, Flags

EXAMPLE = """sluice shadow report --metrics http://localhost:8080 --html shadow.html
         sluice shadow report --examples --set shadow.examples_topic=shadow-examples"""

_HEAD = ("label", "tier", "in use only", "candidate only", "both", "in use", "candidate", "change (95 %)", "scores")
_HTML = (".html", ".htm")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("action", choices=("report",), help="report: what the comparisons say so far")
    parser.add_argument(
        "--metrics",
        action="append",
        default=[],
        metavar="SOURCE",
        help="a worker's URL, or a file of what its /metrics answered; once for each worker (default: http.port of "
        "this host)",
    )
    parser.add_argument(
        "--examples",
        nargs="?",
        const="",
        metavar="FILE",
        help="read examples instead: a file of them, one a line (default: what is in shadow.examples_topic now)",
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write a page with plots; it opens offline")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Read the findings, print them, and write the page if one is asked for.

    Raises:
        SettingsInvalid: A source cannot be read, or the page cannot be written.
    """
    from worker.quality.shadow.page import page
    from worker.quality.shadow.sources import findings_of_examples, findings_of_metrics

    if arguments.html is not None and arguments.html.suffix.lower() not in _HTML:
        message = f"--html {arguments.html}: give it the suffix .html"
        raise SettingsInvalid(message)
    if arguments.examples is None:
        findings = findings_of_metrics(arguments.metrics or [f"http://localhost:{settings.http.port}/metrics"])
    elif arguments.metrics:
        message = "--metrics and --examples are two sources: name one of them"
        raise SettingsInvalid(message)
    else:
        findings = findings_of_examples(arguments.examples or None, settings)
    if arguments.html is not None:
        _write(arguments.html, page(findings))
    if arguments.json:
        sys.stdout.write(json.dumps(findings.as_json(), ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(findings))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"--html {path} cannot be written: {error.strerror}. Name another file."
        raise SettingsInvalid(message) from None
    sys.stderr.write(f"wrote {path}\n")


def _lines(findings: "Findings") -> Iterator[str]:
    if findings.sampled is not None:
        missed = ", ".join(f"{reason} {count:,}" for reason, count in findings.missed.items())
        yield f"{findings.sampled:,} label events sampled, {findings.waiting:,} wait; missed: {missed or 'none'}"
    elif findings.missed:
        yield ", ".join(f"{reason}: {count:,}" for reason, count in findings.missed.items())
    if not findings.comparisons:
        yield "nothing has been compared: is shadow.model.id set, and sluice_shadow_up 1?"
    for one in findings.comparisons:
        yield ""
        yield from _comparison(one)


def _comparison(one: "Comparison") -> Iterator[str]:
    compared = "only comments on which they differ are known" if one.compared is None else f"{one.compared:,} compared"
    yield f"candidate  {one.name_of('candidate')}"
    yield f"in use     {one.name_of('incumbent')}"
    yield compared
    for who, labels in one.only_in.items():
        if labels:
            yield f"only the {who} has: {', '.join(labels)}"
    rows = [_HEAD]
    for label in one.labels.values():
        mean = label.mean_difference
        shared = label in one.shared()
        for tier in ("review", "act"):
            flags = label.flags(tier)
            rows.append(
                (
                    label.label if tier == "review" else "",
                    tier,
                    f"{flags.incumbent:,}",
                    f"{flags.candidate:,}",
                    f"{flags.both:,}",
                    _share(one.share(label, tier, "incumbent")),
                    _share(one.share(label, tier, "candidate")),
                    _change(flags, one.compared) if shared else "-",
                    f"{mean:+.4f}" if mean is not None and tier == "review" else "",
                )
            )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, second = (f"{cell:<{width}}" for cell, width in zip(row[:2], widths[:2], strict=True))
        others = (f"{cell:>{width}}" for cell, width in zip(row[2:], widths[2:], strict=True))
        yield "  ".join((first, second, *others)).rstrip()


def _share(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f} %"


def _change(flags: "Flags", compared: int | None) -> str:
    from worker.quality.shadow.comparison import change_of

    change = change_of(flags, compared or 0)
    if change is None:
        return "-"
    value, low, high = (f"{100 * one:+.2f}" for one in change)
    return f"{value} ({low} to {high})"
