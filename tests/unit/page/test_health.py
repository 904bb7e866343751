"""The first check that fails says what to do, and those after it wait."""

from collections.abc import Sequence
from typing import Any

from worker.kafka.client.log_queries import LogEnds
from worker.page.cluster import Cluster, ClusterView, Member, lag_json, members_json
from worker.page.health import HealthChain
from worker.page.times import MINUTE_MS
from worker.page.workers import Workers
from worker.settings import Settings

SETTINGS = Settings(kafka={"bootstrap_servers": "127.0.0.1:1"})
TOPICS = {"comments": 2, "comment-labels": 2, "comments.dlq": 2}
PLACES = [("comments", 0), ("comments", 1)]


def view(at_ms: int = 10 * MINUTE_MS, *, held: Sequence[Any] = PLACES, **others: Any) -> ClusterView:
    """A look at a group that is well, but for `others`; a number of `ends` or `committed` is each partition's."""
    given: dict[str, Any] = {
        "broker": "",
        "topics": TOPICS,
        "ends": 5000,
        "committed": 5000,
        "members": [Member("m-1", "/10.0.0.1", "sluice", tuple(held))] if held else [],
        "state": "stable",
        **others,
    }
    if isinstance(given["ends"], int):
        given["ends"] = {place: LogEnds(0, given["ends"]) for place in PLACES}
    if isinstance(given["committed"], int):
        given["committed"] = dict.fromkeys(PLACES, given["committed"])
    return ClusterView(at_ms, **given)


def states(now: ClusterView, before: ClusterView | None = None, models: Sequence[str] = ("a model",)) -> dict[str, Any]:
    cluster = Cluster(SETTINGS)
    cluster.view = now
    cluster.history.extend(filter(None, (before, now)))
    chain = HealthChain(SETTINGS, cluster, Workers(()), lambda: models)
    return {check["id"]: check for check in chain.as_json()["checks"]}


def failed(checks: dict[str, Any]) -> str:
    """The check that fails, with what to do, and only waiting ones behind it."""
    names = list(checks)
    (name,) = [name for name in names if checks[name]["state"] == "failed"]
    behind = {checks[one]["state"] for one in names[names.index(name) + 1 :]}
    assert behind <= {"waiting"}
    assert {checks[one]["state"] for one in names[: names.index(name)]} <= {"ok"}
    assert checks[name]["cure"]
    assert checks[name]["runbook"].startswith(SETTINGS.page.runbook + "#sluice")
    return name


def test_a_stream_that_is_well_has_only_good_checks() -> None:
    assert {check["state"] for check in states(view()).values()} == {"ok"}


def test_each_failure_is_found_at_its_place() -> None:
    before = view(8 * MINUTE_MS, committed=1000)
    assert failed(states(view(broker="no broker answers"))) == "broker"
    assert failed(states(view(topics=TOPICS | {"comment-labels": 0}))) == "topics"
    assert failed(states(view(held=()))) == "group"
    assert failed(states(view(held=PLACES[:1]))) == "assigned"
    assert failed(states(view(committed=1000), before)) == "commits"
    assert failed(states(view(ends=9000, committed=1001), before)) == "lag"


def test_a_lag_that_falls_is_well() -> None:
    checks = states(view(committed=3000), view(8 * MINUTE_MS, committed=1000))
    assert (checks["commits"]["state"], checks["lag"]["state"]) == ("ok", "ok")


def test_a_sparse_stream_whose_newest_record_waits_is_well() -> None:
    settled = view(8 * MINUTE_MS, committed=4000, ends=4000)
    checks = states(view(committed=4000, ends=4001), settled)
    assert checks["commits"]["state"] == "ok"
    assert "settled a minute ago" in checks["commits"]["detail"]
    waits = view(8 * MINUTE_MS, committed=4000, ends=4001)
    assert failed(states(view(committed=4000, ends=4001), waits)) == "commits"


def test_a_lag_that_neither_grows_nor_falls_is_said_to_stay() -> None:
    checks = states(view(ends=9000, committed=7000), view(8 * MINUTE_MS, ends=8000, committed=6000))
    assert "stayed at 4000" in checks["lag"]["detail"]


def test_what_takes_a_minute_to_see_is_unknown_until_then() -> None:
    checks = states(view(committed=1000))
    assert (checks["commits"]["state"], checks["lag"]["state"]) == ("unknown", "unknown")


def test_what_may_not_be_asked_is_unknown_with_the_reason_and_stops_no_check() -> None:
    why = "this principal lacks the right Describe on group sluice"
    checks = states(view(members=why))
    assert (checks["group"]["state"], checks["group"]["detail"]) == ("unknown", why)
    assert checks["lag"]["state"] == "ok"
    assert members_json(view(members=why)) == {"unknown": why}
    assert lag_json(view(committed=why), ["comments"])["total"] == {"unknown": why}


def test_a_partition_without_a_commit_has_all_of_its_records_before_it() -> None:
    lag = lag_json(view(committed={("comments", 0): 4000}), ["comments"])
    assert [row["lag"] for row in lag["partitions"]] == [1000, 5000]
    assert lag["partitions"][1]["committed"]["unknown"]
    assert lag["total"] == 6000


def test_records_that_retention_took_are_no_lag() -> None:
    ends = {place: LogEnds(4500, 5000) for place in PLACES}
    assert lag_json(view(ends=ends, committed=10), ["comments"])["total"] == 1000
