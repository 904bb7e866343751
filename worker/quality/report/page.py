"""The report as one HTML page: nothing in it is fetched from anywhere, and what comes from files is escaped."""

import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any

from worker.quality.report import charts
from worker.quality.report.bands import RESAMPLES, Interval
from worker.quality.report.figures import LabelReport, Report
from worker.quality.report.mistakes import Mistake
from worker.quality.report.outcomes import Outcome, Share
from worker.quality.report.slices import Slice
from worker.quality.report.style import STYLE

_ABSENT, _TO = "&ndash;", "&ndash;"

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Tells a browser to fetch and run nothing, whatever a file of texts may hold."""

_TIERS = '<span class="key review">review</span> <span class="key act">act</span>'

_CHARACTERS = 500
"""Characters of a text that are shown."""

_SWEPT = '<span class="key first">precision</span> (dashed: lower bound), <span class="key second">recall</span>'


def page(report: Report) -> str:
    """The whole page."""
    origin = report.origin
    title = f"{origin['model']['id']} on {origin['data']['file']}"
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>",
            f"<header>\n<h1>{escape(title)}</h1>\n{_origin(origin)}</header>",
            f"<main>\n{_summary(report)}\n{_confusion(report)}",
            *(_label(one, number) for number, one in enumerate(report.labels)),
            "</main>\n</body>\n</html>\n",
        ]
    )


def _origin(origin: dict[str, Any]) -> str:
    model, data = origin["model"], origin["data"]
    revision = f", revision {model['revision']}" if model["revision"] else ""
    unscorable = f", {data['unscorable']:,} could not be scored" if data["unscorable"] else ""
    weight = data["clean_weight"]
    weighted = f"; a text without any label counts {weight:g} times" if weight != 1 else ""
    entries = {
        "Model": f"{model['id']}{revision}, {model['precision']}",
        "Digest": model["digest"],
        "Thresholds": origin["threshold_set"],
        "Texts": f"{data['texts']:,} of {data['file']}{unscorable}{weighted}",
        "Data digest": data["digest"],
        "Date": origin["date"],
    }
    rows = "".join(f"<dt>{name}</dt><dd>{escape(str(value))}</dd>" for name, value in entries.items())
    return f"<dl>{rows}</dl>\n"


def _summary(report: Report) -> str:
    head = ("label", "positives", "ROC-AUC", "average precision", "tier", "threshold", "precision", "recall", "flagged")
    rows = []
    for number, one in enumerate(report.labels):
        ranking = one.ranking
        for tier, found in (("review", one.review), ("act", one.act)):
            first = tier == "review"
            label = f'<a href="#label-{number}">{escape(one.quality.label)}</a>' if first else ""
            areas = [_interval(ranking.roc_auc), _interval(ranking.average_precision)] if ranking else [_ABSENT] * 2
            rows.append(
                [
                    label,
                    f"{one.quality.positives:,}" if first else "",
                    *(areas if first else ("", "")),
                    f'<span class="key {tier}">{tier}</span>',
                    *_of_outcome(found),
                ]
            )
    note = (
        f"Ranges hold with 95 % confidence: of the areas from {RESAMPLES} bootstrap resamples of the texts, of "
        "precision and recall by Wilson. <i>Flagged</i> is the share of all texts that reach the tier."
    )
    return f"<h2>Labels</h2>\n{_table(head, rows, kind='names')}\n<p>{note}</p>"


def _confusion(report: Report) -> str:
    labels = [one.quality.label for one in report.labels]
    rows = [
        [escape(name), *(_heat(value) for value in values)]
        for name, values in zip([*labels, "none of them"], report.confusion.tolist(), strict=True)
    ]
    body = _table(("texts with", *map(escape, labels)), rows, cells=False, kind="names")
    note = "Of the texts that have a label (row), the share that is flagged with each label (column)."
    return f"<h2>Confusion between labels</h2>\n{body}\n<p>{note}</p>"


def _label(one: LabelReport, number: int) -> str:
    quality = one.quality
    figures = [
        (charts.roc(one), f"<b>ROC</b>, with its 95 % band. {_TIERS}"),
        (charts.precision_recall(one), f"<b>Precision and recall</b>, with its 95 % band. {_TIERS}"),
        (
            charts.reliability(one.reliability),
            f"<b>Reliability</b>: calibration error {quality.calibration_error:.3f}, Brier {quality.brier:.3f}.",
        ),
        (
            charts.sweep(one),
            f"<b>Threshold sweep</b>: {_SWEPT}, {_TIERS}",
        ),
    ]
    drawn = "".join(f"<figure>{svg}<figcaption>{what}</figcaption></figure>" for svg, what in figures if svg)
    nothing = "" if one.ranking else "<p>No ranking: all texts have the label, or none.</p>"
    return "\n".join(
        [
            f'<section class="label" id="label-{number}">\n<h2>{escape(quality.label)}</h2>',
            f'{nothing}<div class="grid-of">{drawn}</div>',
            '<div class="pair">',
            f"<div><h3>Confusion</h3>{_matrix(one)}</div>",
            f"<div><h3>By length, in characters</h3>{_slices(one.by_length)}</div>",
            f"<div><h3>By language</h3>{_slices(one.by_language)}</div>",
            "</div>",
            '<div class="pair">',
            f"<div><h3>Surest false flags</h3>{_mistakes(one.mistakes.false)}</div>",
            f"<div><h3>Surest misses</h3>{_mistakes(one.mistakes.missed)}</div>",
            "</div>\n</section>",
        ]
    )


def _matrix(one: LabelReport) -> str:
    head = ("tier", "threshold", "found", "false", "missed", "passed")
    rows = [
        [
            f'<span class="key {tier}">{tier}</span>',
            _ABSENT if found.threshold is None else f"{found.threshold:g}",
            *(f"{count:,}" for count in (found.found, found.false, found.missed, found.passed)),
        ]
        for tier, found in (("review", one.review), ("act", one.act))
    ]
    return _table(head, rows)


def _slices(found: Sequence[Slice]) -> str:
    head = ("slice", "texts", "positives", "flagged", "false rate", "precision", "recall", "AP")
    rows = [
        [
            escape(one.name),
            f"{one.texts:,}",
            f"{one.quality.positives:,}",
            _percent(one.flagged),
            _percent(one.false_share),
            _number(one.quality.precision),
            _number(one.quality.recall),
            _number(one.quality.average_precision),
        ]
        for one in found
    ]
    return _table(head, rows)


def _mistakes(found: Sequence[Mistake]) -> str:
    if not found:
        return "<p>None.</p>"
    with_texts = found[0].text is not None
    head = ("id", "score", "text") if with_texts else ("id", "score")
    rows = [
        f"<tr><td>{escape(one.id)}</td><td>{one.score:.4f}</td>"
        + (f'<td class="text">{_cut(one.text)}</td>' if one.text is not None else "")
        + "</tr>"
        for one in found
    ]
    return f'<div class="wide"><table>{_head(head)}<tbody>{"".join(rows)}</tbody></table></div>'


def _cut(text: str) -> str:
    """The beginning of a text, escaped."""
    return escape(text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]} ...")


def _of_outcome(found: Outcome) -> Iterator[str]:
    yield "never" if found.threshold is None else f"{found.threshold:g}"
    for share in (found.precision, found.recall if found.threshold is not None else None):
        yield _interval(share)
    yield _percent(found.flagged)


def _interval(found: Share | Interval | None) -> str:
    if found is None:
        return _ABSENT
    return f'{found.value:.3f} <span class="range">{found.low:.3f}{_TO}{found.high:.3f}</span>'


def _heat(share: float) -> str:
    if math.isnan(share):  # no text has the label
        return f"<td>{_ABSENT}</td>"
    return f'<td class="heat" style="--share:{share:.3f}">{100 * share:.1f} %</td>'


def _percent(value: float | None) -> str:
    return _ABSENT if value is None else f"{100 * value:.2f} %"


def _number(value: float | None) -> str:
    return _ABSENT if value is None else f"{value:.3f}"


def _table(head: Iterable[str], rows: Iterable[Sequence[str]], *, cells: bool = True, kind: str = "") -> str:
    """A table; with `cells` False all but the first of a row are whole cells already."""
    body = []
    for first, *others in rows:
        rest = "".join(f"<td>{other}</td>" for other in others) if cells else "".join(others)
        body.append(f"<tr><td>{first}</td>{rest}</tr>")
    opened = f'<table class="{kind}">' if kind else "<table>"
    return f'<div class="wide">{opened}{_head(head)}<tbody>{"".join(body)}</tbody></table></div>'


def _head(names: Iterable[str]) -> str:
    return f"<thead><tr>{''.join(f'<th>{name}</th>' for name in names)}</tr></thead>"
