"""What the workers say of themselves: their /metrics and /readyz, asked every few seconds."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

import structlog
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from worker.page.unknown import Json, unknown

_EVERY_SECONDS = 3.0
_ASK_SECONDS = 2.0
_MOST_BYTES = 8 * 1024 * 1024
_PREFIX = "sluice_"

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerView:
    """What one worker said.

    Attributes:
        url: Where it was asked.
        problem: Why it could not be asked; empty where it answered.
        ready: Whether it is ready.
        reasons: Why it is not.
        samples: Its metrics, by their name.
        at: Monotonic seconds.
    """

    url: str
    problem: str = ""
    ready: bool = False
    reasons: str = ""
    samples: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    at: float = 0.0

    def value(self, name: str) -> float | None:
        """The sum of a metric's series; None where it has none."""
        found = self.samples.get(name)
        return sum(sample.value for sample in found) if found else None

    @property
    def model(self) -> Mapping[str, str] | None:
        """The labels of `sluice_model_info`."""
        found = self.samples.get("sluice_model_info")
        return found[0].labels if found else None


Fetch = Callable[[str], tuple[int, str]]
"""Status and body of a URL; raises `OSError`."""


class Workers:
    """Asks the workers on a thread of its own.

    Args:
        urls: Where they serve /metrics.
        fetch: Asks one of their URLs.
        clock: Monotonic seconds.
    """

    def __init__(
        self, urls: Sequence[str], fetch: Fetch | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.views: Mapping[str, WorkerView] = {url: WorkerView(url, "it has not been asked yet") for url in urls}
        self._before: Mapping[str, WorkerView] = {}
        self._fetch = fetch or _fetch
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="workers", daemon=True)

    def start(self) -> None:
        """Begin to ask, where there is anybody to ask."""
        if self.views:
            self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_ASK_SECONDS)

    def look(self) -> None:
        """Ask each of them once."""
        self._before, self.views = self.views, {url: self._ask(url) for url in self.views}

    def rate(self, name: str) -> float | None:
        """How much a counter of all workers together grew in a second; None where that is not known."""
        rates = []
        for url, now in self.views.items():
            then = self._before.get(url)
            new, old = now.value(name), None if then is None else then.value(name)
            if then is not None and new is not None and old is not None and now.at > then.at:
                rates.append(max(0.0, new - old) / (now.at - then.at))
        return sum(rates) if rates else None

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.look()
            except Exception:
                log.exception("asking the workers failed")
            self._stop.wait(_EVERY_SECONDS)

    def _ask(self, url: str) -> WorkerView:
        base = url.rstrip("/").removesuffix("/metrics")
        try:
            status, text = self._fetch(base + "/metrics")
            if status != HTTPStatus.OK:
                return WorkerView(url, f"{base}/metrics answers {status}", at=self._clock())
            ready, body = self._fetch(base + "/readyz")
            samples: dict[str, list[Sample]] = {}
            for family in text_string_to_metric_families(text):
                if family.name.startswith(_PREFIX):
                    for sample in family.samples:
                        samples.setdefault(sample.name, []).append(sample)
        except (OSError, HTTPException, ValueError, KeyError) as error:
            reason = getattr(error, "reason", None) or error
            return WorkerView(url, f"{base} does not answer: {str(reason)[:200]}", at=self._clock())
        return WorkerView(url, "", ready == HTTPStatus.OK, body[:500], samples, self._clock())


def states_json(workers: Workers) -> Json:
    """Breaker, pause and readiness of each worker."""
    if not workers.views:
        return unknown("no worker is named: `page.workers` (SLUICE_PAGE__WORKERS) says where they serve /metrics")
    rows: list[Json] = []
    for view in workers.views.values():
        if view.problem:
            rows.append({"member_or_url": view.url, **unknown(view.problem)})
            continue
        rows.append(
            {
                "member_or_url": view.url,
                "breaker": bool(view.value("sluice_breaker_open")),
                "paused": bool(view.value("sluice_consumer_paused")),
                "ready": view.ready,
                "reasons": "" if view.ready else view.reasons,
            }
        )
    return rows


class _NoRedirects(HTTPRedirectHandler):
    """The settings name who is asked; nobody else is, whatever the answer says."""

    def redirect_request(self, *_: object) -> None:
        return None


_opener = build_opener(_NoRedirects())


def _fetch(url: str) -> tuple[int, str]:
    request = Request(url, headers={"Accept": "text/plain"})  # noqa: S310 - the settings allow http and https only
    try:
        with _opener.open(request, timeout=_ASK_SECONDS) as answer:
            return answer.status, answer.read(_MOST_BYTES).decode(errors="replace")
    except HTTPError as error:
        return error.code, error.read(_MOST_BYTES).decode(errors="replace")
