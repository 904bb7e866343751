"""The shadow's thread, run on the test's: it compares, counts, yields, and whatever the candidate does ends there."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from testkit.clock import FakeClock
from tests.unit.shadow.made import CANDIDATE, INCUMBENT, ScriptedCandidate, event, flags, scorer, verdict
from worker.observability.shadow_metrics import ShadowMetrics
from worker.settings import ExamplesKept
from worker.shadow.allowance import Allowance
from worker.shadow.candidate import CandidateEnded, CandidateRefused
from worker.shadow.counting import Tally
from worker.shadow.sampled import Sampled
from worker.shadow.shadow import Shadow
from worker.shadow.waiting import Waiting
from worker.types import Unscorable

PAIR = {"incumbent": INCUMBENT.name, "candidate": CANDIDATE.name}


class Outlet:
    """Where examples go; a test says what happens when it is served."""

    def __init__(self) -> None:
        self.closed = False
        self.serve: Callable[[], None] = lambda: None

    def publish(self, _: Any, examples: Sequence[Any]) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.closed = True


class Bench:
    """A shadow with scripted candidates; `run` ends when the last of them has given its last answer."""

    def __init__(self, *candidates: ScriptedCandidate, limit: int = 100, share: float = 0.0) -> None:
        self.candidates = list(candidates)
        self.registry = CollectorRegistry()
        self.metrics = ShadowMetrics(self.registry)
        self.clock = FakeClock()
        self.waiting = Waiting(limit)
        self.candidates[-1].when_done = self.waiting.close
        self.busy: Callable[[], bool] = lambda: False
        self.examples: list[str] = []
        self.outlet = Outlet()
        left: Any = iter(self.candidates)
        self.shadow = Shadow(
            lambda: next(left),
            self.waiting,
            Allowance(share, self.clock),
            lambda: self.busy(),  # noqa: PLW0108 - a test replaces it
            lambda: INCUMBENT,
            lambda candidate: Tally(self.metrics, candidate, ExamplesKept.DIFFERING, self._publish),
            self.metrics,
            self.outlet,
            restart_seconds=0.0,
        )

    def _publish(self, _: Any, examples: Sequence[Any]) -> None:
        self.examples += [one.sampled.comment_id for one, _ in examples]

    def run(self, *sampled: Sampled) -> None:
        self.waiting.add(sampled)
        self.shadow._run()

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"sluice_shadow_{name}", labels) or 0.0

    def incumbents(self) -> list[str]:
        """Ids of the models that it says are compared now."""
        return [
            sample.labels["incumbent_id"]
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == "sluice_shadow_info"
        ]

    def flagged(self, label: str, tier: str, by: str) -> float:
        return self.value("flagged_total", label=label, tier=tier, by=by, **PAIR)


def test_flags_are_counted_by_who_gives_them_and_differences_by_label() -> None:
    answer = [
        verdict("toxic", acted=["toxic"], toxic=0.9, insult=0.5),
        verdict("insult", toxic=0.1, insult=0.7),
        verdict(toxic=0.5, insult=0.5),
    ]
    bench = Bench(ScriptedCandidate(lambda _: answer))
    bench.run(event(1, "toxic"), event(2, "toxic"), event(3))

    assert bench.value("compared_total", **PAIR) == 3
    assert [bench.flagged("toxic", "review", by) for by in ("incumbent", "candidate", "both")] == [1, 0, 1]
    assert [bench.flagged("insult", "review", by) for by in ("incumbent", "candidate", "both")] == [0, 1, 0]
    assert bench.flagged("toxic", "act", "candidate") == 1
    buckets = {
        bound: bench.value("score_difference_bucket", label="toxic", le=bound, **PAIR)
        for bound in ("-0.4", "-0.3", "-0.005", "0.005", "0.3", "0.4")
    }
    assert buckets == {"-0.4": 1, "-0.3": 1, "-0.005": 1, "0.005": 2, "0.3": 2, "0.4": 3}
    assert bench.examples == ["c-1", "c-2"], "the third agrees"


def test_labels_that_only_one_has_are_named_and_are_no_difference() -> None:
    other = scorer("candidate", "toxic", "spam", digit="b")
    spam = verdict("spam", toxic=0.5, spam=0.9)
    bench = Bench(ScriptedCandidate(lambda texts: [spam] * len(texts), loaded=other))
    bench.run(event(1, "insult"), event(2), event(3))

    assert bench.value("unmatched_labels", label="insult", only_in="incumbent", **PAIR) == 1
    assert bench.value("unmatched_labels", label="spam", only_in="candidate", **PAIR) == 1
    assert bench.flagged("spam", "review", "candidate") == 3
    assert bench.flagged("insult", "review", "incumbent") == 1
    assert not bench.examples
    assert bench.value("score_difference_count", label="spam", **PAIR) == 0


def test_each_incumbent_has_series_of_its_own() -> None:
    successor = scorer("successor", "toxic", "insult", digit="c")
    bench = Bench(ScriptedCandidate(flags("toxic"), flags("toxic")))
    compared_now: list[str] = []
    bench.outlet.serve = lambda: compared_now.extend(bench.incumbents())
    events = [event(1), *(event(number, incumbent=successor) for number in range(2, 10))]
    bench.run(*events)

    assert bench.value("compared_total", **PAIR) == 1
    assert bench.value("compared_total", incumbent=successor.name, candidate=CANDIDATE.name) == 8
    assert compared_now == ["incumbent", "successor"]


def test_a_busy_worker_is_left_alone_until_it_is_idle() -> None:
    looks: list[bool] = []

    def busy() -> bool:
        looks.append(len(looks) < 3)
        assert looks[-1] or bench.candidates[0].given == []
        return looks[-1]

    bench = Bench(ScriptedCandidate(flags()))
    bench.busy = busy
    bench.run(event(1))
    assert looks == [True, True, True, False]
    assert bench.candidates[0].given == [["text 1"]]


def test_a_share_is_what_it_takes_of_a_busy_worker_and_no_more() -> None:
    clock = FakeClock()
    allowance = Allowance(0.25, clock)
    assert not allowance.permits(busy=True), "nothing is saved up at the start"
    taken = 0.0
    for _ in range(10_000):
        clock.advance(0.01)
        if allowance.permits(busy=True):
            allowance.spend(0.1, busy=True)
            taken += 0.1
    assert taken == pytest.approx(0.25 * 100, abs=0.3)
    clock.advance(3600)
    assert allowance.permits(busy=True)
    allowance.spend(0.25, busy=True)
    assert not allowance.permits(busy=True), "an hour without comparisons is not made up for at the worker's cost"
    assert allowance.permits(busy=False)


def test_what_there_is_no_room_for_is_dropped_and_counted() -> None:
    bench = Bench(ScriptedCandidate(flags()), limit=3)
    bench.shadow.offer([event(0)])
    assert bench.value("missed_total", reason="absent") == 1
    bench.shadow._is_up(True)
    bench.shadow.offer([event(number) for number in range(1, 6)])
    assert bench.value("missed_total", reason="behind") == 2
    assert bench.value("sampled_total") == 6
    bench.run()
    assert [text for given in bench.candidates[0].given for text in given] == ["text 1", "text 2", "text 3"]


def test_texts_that_wait_are_bounded_in_characters_too() -> None:
    waiting = Waiting(1000)
    huge = event(1, text="x" * 3_000_000)
    assert waiting.add([huge] * 10) == 8
    assert len(waiting.take()) == 1, "a long text is scored alone"


def test_a_text_that_the_candidate_cannot_score_is_counted_and_the_others_are_compared() -> None:
    bench = Bench(ScriptedCandidate(lambda _: [Unscorable("NoTokens", "none"), verdict()]))
    bench.run(event(1), event(2))
    assert bench.value("missed_total", reason="unscorable") == 1
    assert bench.value("compared_total", **PAIR) == 1


def test_a_candidate_that_crashes_is_started_again_without_the_texts_it_had(caplog: pytest.LogCaptureFixture) -> None:
    private = "of nobody's business"
    bench = Bench(ScriptedCandidate(CandidateEnded("exit code 1")), ScriptedCandidate(flags(), flags()))
    with caplog.at_level(logging.INFO):
        bench.run(*(event(number, text=private + "!" * 400) for number in range(12)))
    first, second = bench.candidates
    assert first.closed
    assert len(first.given[0]) < 6, "long texts, so few at once"
    assert bench.value("failures_total", reason="crash") == 1
    assert bench.value("missed_total", reason="crashed") == len(first.given[0])
    assert bench.value("compared_total", **PAIR) == sum(map(len, second.given))
    assert "has ended (exit code 1); it starts again" in caplog.text
    assert private not in caplog.text
    assert bench.value("up") == 0


def test_a_candidate_that_cannot_be_loaded_is_reported_once_and_not_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(ScriptedCandidate(loaded=CandidateRefused("no such folder")), ScriptedCandidate())
    bench.run(event(1))
    assert caplog.text.count("no such folder") == 1
    assert bench.value("failures_total", reason="load") == 1
    assert not bench.candidates[1].closed, "it was never started"


def test_a_candidate_that_is_the_model_in_use_ends_the_shadow(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(ScriptedCandidate(flags(), loaded=INCUMBENT))
    bench.run(event(1))
    assert "nothing to compare" in caplog.text
    assert bench.candidates[0].closed
    assert bench.value("up") == 0


def test_what_became_of_examples_is_counted_while_no_comment_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.shadow.shadow._SERVE_SECONDS", 0.0)
    bench = Bench(ScriptedCandidate())
    bench.outlet.serve = bench.waiting.close
    bench.run()
    assert bench.outlet.closed, "and once more at the end"


@pytest.mark.parametrize("how", ["promoted", "refused", "failed"])
def test_a_shadow_that_has_ended_says_so_keeps_no_text_and_leaves_nothing_uncounted(how: str) -> None:
    candidate = {
        "promoted": ScriptedCandidate(flags(), loaded=INCUMBENT),
        "refused": ScriptedCandidate(flags(), loaded=CandidateRefused("no such folder")),
        "failed": ScriptedCandidate(ZeroDivisionError("of ours"), flags()),
    }[how]
    bench = Bench(candidate)
    bench.metrics.sampled.inc(20)
    bench.run(*(event(number) for number in range(20)))
    bench.shadow._ready = True  # as the poll thread may have read it just before the end
    bench.shadow.offer([event(20)])

    assert bench.value("missed_total", reason="absent") == bench.value("sampled_total") == 21
    assert [bench.value(name) for name in ("up", "waiting_records", "memory_bytes")] == [0, 0, 0]
    assert bench.incumbents() == []
    assert len(bench.waiting) == 0
    assert bench.value("failures_total", reason="error") == (how == "failed")


def test_memory_is_that_of_a_candidate_that_runs() -> None:
    seen: list[float] = []
    bench = Bench(ScriptedCandidate(flags(), CandidateEnded("exit code 1")), ScriptedCandidate(flags(), flags()))
    bench.outlet.serve = lambda: seen.append(bench.value("memory_bytes"))
    bench.run(*(event(number) for number in range(32)))
    assert seen == [0, 1000, 0, 1000]


def test_stopping_ends_the_candidate_and_what_waits_is_left() -> None:
    def stop(texts: Sequence[str]) -> Sequence[Any]:
        bench.shadow.stop()
        assert bench.candidates[0].killed
        return flags()(texts)

    bench = Bench(ScriptedCandidate(stop, flags()))
    bench.run(*(event(number) for number in range(50)))
    assert len(bench.candidates[0].given) == 1
    assert bench.value("failures_total", reason="crash") == 0
