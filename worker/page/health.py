"""The chain of checks from the broker to a falling lag, in the order in which each needs the one before.

The first that fails says what to do, and those after it wait: a group without members has no partitions to look at.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from worker.page.cluster import Cluster, ClusterView, lag_json
from worker.page.times import MINUTE_MS
from worker.page.unknown import Json, is_unknown
from worker.page.workers import Workers
from worker.settings import Settings

OK, FAILED, UNKNOWN, WAITING = "ok", "failed", "unknown", "waiting"

_SMALL_LAG = 1000
"""Records that a worker takes at once: a lag below it grows and falls with every batch."""


class Finding(NamedTuple):
    """What a check found.

    Attributes:
        state: `ok`, `failed` or `unknown`.
        detail: What it saw.
        cure: What to do; empty where there is nothing to do.
        alert: The runbook's page for it.
    """

    state: str
    detail: str
    cure: str = ""
    alert: str = ""


class HealthChain:
    """Looks at what the page knows.

    Args:
        settings: The worker's settings.
        cluster: What the cluster says.
        workers: What the workers say.
        models: The models of the newest label events, for a person.
    """

    def __init__(
        self, settings: Settings, cluster: Cluster, workers: Workers, models: Callable[[], Sequence[str]]
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._workers = workers
        self._models = models
        self._checks: Sequence[tuple[str, str, Callable[[ClusterView], Finding]]] = (
            ("broker", "A broker answers", self._broker),
            ("topics", "The topics are there", self._topics),
            ("group", "A worker is in the group", self._group),
            ("assigned", "Every partition has a worker", self._assigned),
            ("model", "The model is ready", self._model),
            ("commits", "Commits move", self._commits),
            ("lag", "The lag falls", self._lag),
        )

    def as_json(self) -> dict[str, Json]:
        """The checks in their order."""
        view = self._cluster.view
        rows = []
        failed = False
        for name, title, check in self._checks:
            found = Finding(WAITING, "a check before it failed") if failed else check(view)
            failed = failed or found.state == FAILED
            row = {"id": name, "title": title, "state": found.state, "detail": found.detail}
            if found.cure:
                row["cure"] = found.cure
            if found.alert:
                row["runbook"] = f"{self._settings.page.runbook}#{found.alert}"
            rows.append(row)
        return {"checks": rows}

    def _broker(self, view: ClusterView) -> Finding:
        if view.at_ms == 0:
            return Finding(UNKNOWN, view.broker)
        if view.broker:
            cure = "Check kafka.bootstrap_servers, the network and the brokers."
            return Finding(FAILED, view.broker, cure, "sluicenobroker")
        return Finding(OK, f"{self._settings.kafka.bootstrap_servers} answers")

    def _topics(self, view: ClusterView) -> Finding:
        if isinstance(view.topics, str):
            return Finding(UNKNOWN, view.topics)
        missing = [name for name, partitions in view.topics.items() if not partitions]
        if not self._cluster.inputs():
            missing.append(f"any that {self._settings.input.topic} names")
        if missing:
            cure = "`sluice topics` creates them; `sluice doctor` looks at their limits and at the rights."
            return Finding(FAILED, f"missing: {', '.join(missing)}", cure, "sluicetopicmissing")
        return Finding(OK, ", ".join(f"{name} ({partitions})" for name, partitions in view.topics.items()))

    def _group(self, view: ClusterView) -> Finding:
        if isinstance(view.members, str):
            return Finding(UNKNOWN, view.members)
        group = self._settings.kafka.group_id
        if not view.members:
            return Finding(FAILED, f"nobody is in group {group}", "Start a worker: `sluice run`.", "sluicenoworkers")
        return Finding(OK, f"{len(view.members)} in group {group}, which is {view.state or 'there'}")

    def _assigned(self, view: ClusterView) -> Finding:
        if isinstance(view.members, str) or isinstance(view.topics, str):
            return Finding(UNKNOWN, view.members if isinstance(view.members, str) else str(view.topics))
        held = {place for member in view.members for place in member.partitions}
        wanted = [(topic, number) for topic in self._cluster.inputs() for number in range(view.topics.get(topic, 0))]
        without = [f"{topic}/{number}" for topic, number in wanted if (topic, number) not in held]
        if without:
            more = f" and {len(without) - 5} more" if len(without) > 5 else ""  # noqa: PLR2004 - a line has room for five
            detail = f"no worker holds {', '.join(without[:5])}{more}; the group is {view.state}"
            return Finding(
                FAILED, detail, "A rebalance takes seconds; one that lasts has a reason.", "sluicerebalancing"
            )
        return Finding(OK, f"{len(wanted)} partitions, each with a worker")

    def _model(self, view: ClusterView) -> Finding:
        del view
        answers = self._workers.views.values()
        away = [f"{one.url}: {one.problem or one.reasons}" for one in answers if one.problem or not one.ready]
        if away:
            return Finding(FAILED, "; ".join(away), "The worker's log says what it waits for.", "sluicenoworkers")
        models = self._models()
        if len(models) > 1:
            detail = f"the newest events are of several models: {'; '.join(models)}"
            return Finding(OK, detail, "As it should be while a change is rolled out.", "sluicemodelsdiffer")
        if answers:
            return Finding(OK, "every worker that is asked is ready")
        if models:
            return Finding(OK, f"it has made label events: {models[0]}")
        return Finding(UNKNOWN, "there is no label event yet, and page.workers names no worker to ask")

    def _commits(self, view: ClusterView) -> Finding:
        lag = lag_json(view, self._cluster.inputs())["total"]
        if is_unknown(lag):
            return Finding(UNKNOWN, lag["unknown"])
        before = self._a_minute_before(view)
        if lag == 0:
            return Finding(OK, "everything is settled")
        if before is None or isinstance(before.committed, str) or isinstance(view.committed, str):
            return Finding(UNKNOWN, "it takes a minute of looking to see whether they move")
        moved = sum(view.committed.values()) - sum(before.committed.values())
        if moved <= 0 and lag_json(before, self._cluster.inputs())["total"] == 0:
            return Finding(OK, f"everything was settled a minute ago; {lag} records have come since")
        if moved <= 0:
            return Finding(
                FAILED,
                f"no commit in a minute, with {lag} records left",
                "Look at the workers' logs and /readyz.",
                "sluicenotcommitting",
            )
        return Finding(OK, f"{moved} records settled in the last minute")

    def _lag(self, view: ClusterView) -> Finding:
        lag = lag_json(view, self._cluster.inputs())["total"]
        if is_unknown(lag):
            return Finding(UNKNOWN, lag["unknown"])
        if lag <= _SMALL_LAG:
            return Finding(OK, f"{lag} records")
        before = self._a_minute_before(view)
        then = None if before is None else lag_json(before, self._cluster.inputs())["total"]
        if then is None or is_unknown(then):
            return Finding(UNKNOWN, f"{lag} records; it takes a minute of looking to see whether it falls")
        if lag > then:
            detail = f"it grew from {then} to {lag} records in a minute"
            return Finding(FAILED, detail, "Add workers, up to one for each partition.", "sluicefallingbehind")
        if lag == then:
            return Finding(OK, f"it stayed at {lag} records for a minute: what comes is labelled, and no more")
        return Finding(OK, f"it fell from {then} to {lag} records in a minute")

    def _a_minute_before(self, view: ClusterView) -> ClusterView | None:
        """The newest look that is at least a minute old; None where there is none."""
        old = [one for one in list(self._cluster.history) if one.at_ms <= view.at_ms - MINUTE_MS]
        return old[-1] if old else None
