import gzip
import json
import socket
import struct
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from structlog.testing import capture_logs

from worker.errors import SettingsInvalid
from worker.observability.health import Health
from worker.observability.http import ObservabilityServer, serve
from worker.observability.metrics import Metrics
from worker.settings import HttpSettings

DEADLINE_SECONDS = 30


@pytest.fixture
def health() -> Health:
    return Health(lambda: 0.0)


@pytest.fixture
def server(health: Health) -> Iterator[ObservabilityServer]:
    with ObservabilityServer("127.0.0.1", 0, health, Metrics(CollectorRegistry()).registry) as opened:
        yield opened


def ask(server: ObservabilityServer, path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_SECONDS)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def test_probes_follow_the_health(server: ObservabilityServer, health: Health) -> None:
    response, body = ask(server, "/readyz")
    assert response.status == 503
    assert json.loads(body) == {"ok": False, "reasons": list(health.ready().reasons)}
    assert ask(server, "/livez")[0].status == 200
    health.model_loaded()
    health.joined()
    health.broker_seen()
    response, body = ask(server, "/readyz?verbose=1")
    assert (response.status, json.loads(body)) == (200, {"ok": True, "reasons": []})
    health.failed("broken")
    response, body = ask(server, "/livez")
    assert (response.status, json.loads(body)["reasons"]) == (503, ["fatal: broken"])


def test_metrics_are_scraped_in_the_format_asked_for(server: ObservabilityServer) -> None:
    response, body = ask(server, "/metrics")
    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/plain")
    assert b"\nsluice_in_flight_records 0.0\n" in body
    response, body = ask(server, "/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert response.headers["Content-Type"].startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


@pytest.mark.parametrize("path", ["/livez", "/metrics", "/"])
def test_nothing_is_cached_and_no_version_is_given_away(server: ObservabilityServer, path: str) -> None:
    headers = ask(server, path)[0].headers
    assert (headers["Cache-Control"], headers["Server"]) == ("no-store", "sluice")


def test_other_pages_do_not_exist(server: ObservabilityServer) -> None:
    response, body = ask(server, "/")
    assert response.status == 404
    assert "/metrics" in json.loads(body)["reasons"][0]


def test_a_scraper_that_accepts_gzip_gets_it(server: ObservabilityServer) -> None:
    response, body = ask(server, "/metrics", **{"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert b"\nsluice_in_flight_records 0.0\n" in gzip.decompress(body)


def test_other_methods_are_refused(server: ObservabilityServer) -> None:
    for path in ("/livez", "/metrics"):
        response, _ = ask(server, path, method="POST")
        assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")


def test_a_slow_client_does_not_keep_others_waiting(server: ObservabilityServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_SECONDS) as hanging:
        hanging.sendall(b"GET /metrics HTTP/1.1\r\n")
        assert ask(server, "/livez")[0].status == 200


def test_head_has_no_body(server: ObservabilityServer) -> None:
    assert ask(server, "/metrics", method="HEAD")[1] == b""
    response, body = ask(server, "/livez", method="HEAD")
    assert (response.status, body) == (200, b"")
    assert int(response.headers["Content-Length"]) > 0


def test_a_taken_port_is_a_settings_problem_that_names_it(server: ObservabilityServer, health: Health) -> None:
    with pytest.raises(SettingsInvalid, match=rf"127\.0\.0\.1:{server.port}.*http\.port"):
        ObservabilityServer("127.0.0.1", server.port, health, CollectorRegistry())


def test_an_unknown_host_is_a_settings_problem(health: Health) -> None:
    with pytest.raises(SettingsInvalid, match="no-such-host"):
        ObservabilityServer("no-such-host.invalid", 0, health, CollectorRegistry())


def test_port_zero_in_the_settings_opens_nothing(health: Health) -> None:
    assert serve(HttpSettings(port=0), health, CollectorRegistry()) is None


def test_stopping_frees_the_port_and_may_be_repeated(health: Health) -> None:
    server = ObservabilityServer("127.0.0.1", 0, health, CollectorRegistry())
    port = server.port
    server.stop()
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_SECONDS)


class BrokenCollector(Collector):
    def collect(self) -> Iterator[Metric]:
        message = "cannot count"
        raise RuntimeError(message)

    def describe(self) -> Iterator[Metric]:
        return iter(())


def test_a_scrape_that_fails_is_logged_and_probes_are_still_answered(health: Health) -> None:
    registry = CollectorRegistry()
    registry.register(BrokenCollector())
    with ObservabilityServer("127.0.0.1", 0, health, registry) as server, capture_logs() as logs:
        assert ask(server, "/metrics")[0].status == 500
        assert ask(server, "/livez")[0].status == 200
    assert [entry["event"] for entry in logs] == ["a scrape failed"]


def test_a_client_that_goes_away_is_no_event(server: ObservabilityServer, capfd: pytest.CaptureFixture[str]) -> None:
    with capture_logs() as logs:
        for _ in range(5):
            client = socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_SECONDS)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            client.close()  # with a reset, so that reading or writing fails on the other side
        assert ask(server, "/livez")[0].status == 200
        server.stop()
    assert logs == []
    assert capfd.readouterr().err == ""
