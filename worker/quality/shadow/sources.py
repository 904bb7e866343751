"""Where findings are read from: workers' metrics by URL or file, examples in a file or in their topic."""

import http.client
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from worker.errors import SettingsInvalid
from worker.kafka.present_records import present_records
from worker.quality.shadow.comparison import Findings
from worker.quality.shadow.published import read_examples
from worker.quality.shadow.scraped import read_metrics
from worker.settings import Settings

STDIN = "-"
_SCHEMES = ("http://", "https://")
_METRICS = "/metrics"
_ANSWER_SECONDS = 10.0


def findings_of_metrics(sources: Sequence[str]) -> Findings:
    """What the workers' metrics say, summed.

    Args:
        sources: Of each worker the URL of its /metrics (or of its server), or a file of what that answered.

    Raises:
        SettingsInvalid: One of them cannot be read, or holds something else.
    """
    try:
        return read_metrics({source: _metrics(source) for source in sources})
    except ValueError as error:
        message = f"{error}: name a worker's URL, such as http://localhost:8080/metrics, or a file saved from it"
        raise SettingsInvalid(message) from None


def findings_of_examples(file: str | None, settings: Settings) -> Findings:
    """What the examples say: those of a file, one a line, or those that are in the topic now.

    Raises:
        SettingsInvalid: The file cannot be read, or neither a file nor a topic is named.
        NoBroker: No broker answered for `kafka.no_broker_seconds`.
        Fatal: The topic does not exist or cannot be read.
    """
    if file is not None:
        return read_examples(_lines(file), file)
    topic = settings.shadow.examples_topic
    if topic is None:
        message = "name the topic of the examples (--set shadow.examples_topic=...), or a file of them"
        raise SettingsInvalid(message)
    records = present_records(settings, topic, clock=time.monotonic)
    return read_examples((record.value() for record in records), topic)


def _metrics(source: str) -> str:
    if not source.startswith(_SCHEMES):
        return "".join(line.decode(errors="replace") for line in _lines(source))
    url = source if source.rstrip("/").endswith(_METRICS) else source.rstrip("/") + _METRICS
    try:
        with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310 - http and https only
            body: bytes = answer.read()
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else type(error).__name__
        message = f"{url} does not answer: {reason}. Is it a worker's http.port?"
        raise SettingsInvalid(message) from None
    return body.decode(errors="replace")


def _lines(file: str) -> Iterator[bytes]:
    if file == STDIN:
        yield from sys.stdin.buffer
        return
    try:
        with Path(file).open("rb") as lines:
            yield from lines
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror}"
        raise SettingsInvalid(message) from None
