"""The thresholds that a reader has tried, as a file that a worker takes (`worker.thresholds.set_file`)."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from worker.page.kept_event import Scoring
from worker.page.scores import limits_of
from worker.thresholds.set_file import FORMAT, SetFile, TierValues


def threshold_set(changed: str, scoring: Scoring, now: datetime) -> dict[str, Any]:
    """The set of the newest event with some labels changed, under the model's own names of the labels.

    Args:
        changed: JSON, `{label: {"review": number or null, "act": number or null}}`; other labels stay as they are.
        scoring: What scored the newest event: the set is made for its model.
        now: For the set's name and date.

    Raises:
        ValueError: There was no event yet, or `changed` is not as above; the message says what is wrong.
    """
    if not scoring.labels:
        message = "no label event has been read yet, and a set is made for the model of one"
        raise ValueError(message)
    try:
        wanted = json.loads(changed)
    except (ValueError, RecursionError):
        message = "set must be JSON"
        raise ValueError(message) from None
    if not isinstance(wanted, dict) or not wanted.keys() <= set(scoring.labels):
        message = f"set must be an object by label; the labels are {', '.join(scoring.labels)}"
        raise ValueError(message)
    labels = {}
    for label in scoring.labels:
        limits = limits_of(scoring, label)
        values = wanted.get(label, {"review": limits.review, "act": limits.act})
        labels[scoring.model_labels.get(label, label)] = _values(label, values)
    content = {
        "format": FORMAT,
        "set": f"page-{now:%Y%m%d-%H%M%S}@1",
        "labels": labels,
        "model": {name: scoring.model[name] for name in ("digest", "id", "revision")},
        "rule": {"name": "by hand", "from": scoring.threshold_set, "changed": sorted(wanted)},
        "date": now.date().isoformat(),
    }
    SetFile.model_validate_json(json.dumps(content))  # what a worker would refuse is not handed out
    return content


def _values(label: str, values: Mapping[str, Any]) -> dict[str, float]:
    try:
        checked = TierValues.model_validate_json(json.dumps(values))
    except ValidationError as error:
        message = f"{label}: " + "; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors())
        raise ValueError(message) from None
    return checked.model_dump(exclude_none=True)
