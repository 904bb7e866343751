"""What workers say of themselves is read from their /metrics, and one that does not answer is named."""

from typing import Any

import pytest
from pydantic import ValidationError

from testkit.clock import FakeClock
from worker.page.shadow import shadow_json
from worker.page.workers import Workers, states_json
from worker.settings import PageSettings

URL, OTHER = "http://worker-1:8080", "http://worker-2:8080/"
PAIR = 'incumbent="aaaaaaaaaaaa/default@3",candidate="bbbbbbbbbbbb/mine@1"'
OLD_PAIR = 'incumbent="cccccccccccc/default@2",candidate="bbbbbbbbbbbb/mine@1"'
METRICS = """\
# TYPE sluice_breaker_open gauge
sluice_breaker_open 1
# TYPE sluice_consumer_paused gauge
sluice_consumer_paused 0
# TYPE sluice_tokens_computed counter
sluice_tokens_computed_total {tokens}
# TYPE python_info gauge
python_info 1
"""
SHADOW = f"""\
# TYPE sluice_shadow_info gauge
sluice_shadow_info{{{PAIR},candidate_id="mine",candidate_digest="sha256:bb",candidate_precision="int8"}} 1
# TYPE sluice_shadow_compared counter
sluice_shadow_compared_total{{{PAIR}}} 40
sluice_shadow_compared_total{{{OLD_PAIR}}} 1000
# TYPE sluice_shadow_flagged counter
sluice_shadow_flagged_total{{label="toxic",tier="review",by="incumbent",{PAIR}}} 3
sluice_shadow_flagged_total{{label="toxic",tier="review",by="candidate",{PAIR}}} 5
sluice_shadow_flagged_total{{label="toxic",tier="act",by="candidate",{PAIR}}} 2
sluice_shadow_flagged_total{{label="toxic",tier="review",by="candidate",{OLD_PAIR}}} 700
# TYPE sluice_shadow_score_difference histogram
sluice_shadow_score_difference_bucket{{label="toxic",le="-0.1",{PAIR}}} 4
sluice_shadow_score_difference_bucket{{label="toxic",le="0.1",{PAIR}}} 30
sluice_shadow_score_difference_bucket{{label="toxic",le="+Inf",{PAIR}}} 40
# TYPE sluice_shadow_missed counter
sluice_shadow_missed_total{{reason="behind"}} 7
"""


class Web:
    """Answers in place of workers."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, str]] = {}

    def serve(self, base: str, metrics: str, *, ready: bool = True) -> None:
        self.pages[f"{base}/metrics"] = (200, metrics)
        self.pages[f"{base}/readyz"] = (200, "{}") if ready else (503, '{"reasons": ["the model is loading"]}')

    def fetch(self, url: str) -> tuple[int, str]:
        if url not in self.pages:
            message = "connection refused"
            raise OSError(message)
        return self.pages[url]


def workers(web: Web, *urls: str) -> tuple[Workers, FakeClock]:
    clock = FakeClock()
    return Workers(urls, web.fetch, clock), clock


def test_breaker_pause_and_readiness_are_those_of_each_worker() -> None:
    web = Web()
    web.serve("http://worker-1:8080", METRICS.format(tokens=0), ready=False)
    asked, _ = workers(web, URL, OTHER)
    asked.look()
    first, second = states_json(asked)
    assert first | {"reasons": ""} == {
        "member_or_url": URL,
        "breaker": True,
        "paused": False,
        "ready": False,
        "reasons": "",
    }
    assert "loading" in first["reasons"]
    assert "does not answer" in second["unknown"]


def test_a_rate_is_the_growth_of_all_workers_counters() -> None:
    web = Web()
    asked, clock = workers(web, URL, OTHER)
    for tokens in (100, 700):
        web.serve("http://worker-1:8080", METRICS.format(tokens=tokens))
        web.serve("http://worker-2:8080", METRICS.format(tokens=tokens))
        asked.look()
        clock.advance(3)
    assert asked.rate("sluice_tokens_computed_total") == 400
    web.serve("http://worker-1:8080", METRICS.format(tokens=0))
    asked.look()
    assert asked.rate("sluice_tokens_computed_total") == 0, "a worker that has started again counts from zero"


def test_an_answer_that_is_no_metrics_is_a_problem_and_no_crash() -> None:
    web = Web()
    web.serve("http://worker-1:8080", "<html>{ not metrics")
    web.pages["http://worker-2:8080/metrics"] = (404, "")
    asked, _ = workers(web, URL, OTHER)
    asked.look()
    assert all(view.problem for view in asked.views.values())


def test_two_models_disagree_as_the_workers_of_the_present_pair_count() -> None:
    web = Web()
    for number in (1, 2):
        web.serve(f"http://worker-{number}:8080", SHADOW)
    asked, _ = workers(web, URL, OTHER)
    asked.look()
    found: dict[str, Any] = shadow_json(asked)
    assert found["on"] is True
    (toxic,) = found["labels"]
    assert (toxic["incumbent_only"], toxic["candidate_only"], toxic["compared"]) == (6, 10, 80)
    assert toxic["act"] == {"incumbent_only": 0, "candidate_only": 4}
    assert (toxic["differences"], toxic["edges"]) == ([8, 52, 20], [-0.1, 0.1])
    assert found["candidate"] == {"id": "mine", "digest": "sha256:bb", "precision": "int8", "threshold_set": "mine@1"}
    assert found["missed"] == {"behind": 14}


def test_a_workers_address_holds_no_password_that_the_page_would_show() -> None:
    for url in ("http://name:secret@worker-1:8080", "http://name@worker-1", "https://a:b@worker/metrics"):
        with pytest.raises(ValidationError):
            PageSettings(workers=url)
    assert PageSettings(workers="http://worker-1:8080,https://[::1]/a@b").workers[1].endswith("a@b")


def test_without_a_candidate_the_page_says_why() -> None:
    web = Web()
    assert "page.workers" in shadow_json(workers(web)[0])["why_not"]
    asked, _ = workers(web, URL)
    asked.look()
    assert "does not answer" in shadow_json(asked)["why_not"]
    web.serve("http://worker-1:8080", METRICS.format(tokens=0))
    asked.look()
    assert "shadow.model.id" in shadow_json(asked)["why_not"]
