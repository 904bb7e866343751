"""The candidate that a worker scores beside its model: where the two disagree, from the workers' metrics."""

from collections.abc import Mapping

from prometheus_client.samples import Sample

from worker.page.unknown import Json
from worker.page.workers import Workers

_INFO = "sluice_shadow_info"
_FLAGGED = "sluice_shadow_flagged_total"
_COMPARED = "sluice_shadow_compared_total"
_DIFFERENCE = "sluice_shadow_score_difference_bucket"
_MISSED = "sluice_shadow_missed_total"


def shadow_json(workers: Workers) -> dict[str, Json]:
    """What the workers compare now, summed over those with the same pair of models."""
    views = [view for view in workers.views.values() if not view.problem]
    info = next((one.labels for view in views for one in view.samples.get(_INFO, ())), None)
    if info is None:
        return {"on": False, "why_not": _why_not(workers), "labels": [], "candidate": None}
    pair = {name: info.get(name, "") for name in ("incumbent", "candidate")}

    def series(name: str) -> list[Sample]:
        return [
            one
            for view in views
            for one in view.samples.get(name, ())
            if all(one.labels.get(side) == models for side, models in pair.items())
        ]

    compared = sum(one.value for one in series(_COMPARED))
    flagged, differences = series(_FLAGGED), series(_DIFFERENCE)
    labels = sorted({one.labels["label"] for one in (*flagged, *differences) if "label" in one.labels})
    return {
        "on": True,
        "labels": [
            {
                "label": label,
                "compared": round(compared),
                **{f"{side}_only": _flagged_by(flagged, label, "review", side) for side in ("incumbent", "candidate")},
                "act": {
                    f"{side}_only": _flagged_by(flagged, label, "act", side) for side in ("incumbent", "candidate")
                },
                **_bins(differences, label),
            }
            for label in labels
        ],
        "candidate": _model(info, "candidate"),
        "incumbent": _model(info, "incumbent"),
        "missed": {
            reason: round(sum(one.value for one in found))
            for reason, found in _by_reason([one for view in views for one in view.samples.get(_MISSED, ())]).items()
        },
    }


def _why_not(workers: Workers) -> str:
    if not workers.views:
        return "no worker is named: page.workers (SLUICE_PAGE__WORKERS) says where they serve /metrics"
    away = [view for view in workers.views.values() if view.problem]
    if len(away) == len(workers.views):
        return f"no worker answers: {away[0].problem}"
    return "no worker scores with a candidate: shadow.model.id names one"


def _flagged_by(found: list[Sample], label: str, tier: str, side: str) -> int:
    wanted = {"label": label, "tier": tier, "by": side}
    return round(
        sum(one.value for one in found if all(one.labels.get(name) == value for name, value in wanted.items()))
    )


def _bins(found: list[Sample], label: str) -> dict[str, Json]:
    """The counts between the edges of the histogram, which is cumulative, and the edges."""
    below: dict[float, float] = {}
    for one in found:
        if one.labels.get("label") == label:
            edge = float(one.labels["le"])
            below[edge] = below.get(edge, 0) + one.value
    edges = sorted(below)
    counts = [round(below[edge] - (below[edges[place - 1]] if place else 0)) for place, edge in enumerate(edges)]
    return {"differences": counts, "edges": [edge for edge in edges if edge != float("inf")]}


def _model(info: Mapping[str, str], side: str) -> dict[str, str]:
    return {
        "id": info.get(f"{side}_id", ""),
        "digest": info.get(f"{side}_digest", ""),
        "precision": info.get(f"{side}_precision", ""),
        "threshold_set": info.get(side, "").rpartition("/")[2],
    }


def _by_reason(found: list[Sample]) -> dict[str, list[Sample]]:
    reasons: dict[str, list[Sample]] = {}
    for one in found:
        reasons.setdefault(one.labels.get("reason", ""), []).append(one)
    return reasons
