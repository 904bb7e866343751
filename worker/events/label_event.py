"""From a labelled comment to the record of its label event.

The value is written from a template made once for each model and threshold set, and the comment's own bytes are
spliced in: whatever the producer wrote (number formats, field order, unknown fields) reaches the reader untouched,
and nothing is serialised twice. A test checks the result against `schemas.LabelEvent`.
"""

import json
from typing import Any

from pydantic_core import to_json

from schemas.cloudevents import constant_headers
from schemas.identity import EventIds, log_name, scoring_name
from schemas.label import SCHEMA_VERSION
from schemas.timestamps import rfc3339
from worker.events.comment_in_event import comment_writer
from worker.events.headers import headers_of
from worker.events.trace_context import trace_headers
from worker.input_settings import InputSettings
from worker.protocols import WallClock
from worker.settings import OutputSettings
from worker.types import IdSource, Labelled, ModelIdentity, Outgoing, ThresholdSet, ViewFacts

_NO_TIMESTAMP = 0
_NOW = 0
_TRUE_FALSE = (b"false", b"true")
_ID_SOURCES = {source: to_json(source.value) for source in IdSource}


class LabelEventEncoder:
    """Encodes `Labelled` outcomes of one model.

    Args:
        input_settings: Names the input topic and where the text is.
        output_settings: Names the output topic and whether the text is kept, hashed or dropped.
        model: Identity that every event carries.
        thresholds: Threshold set that every event carries.
        view: Name and version of the second reading; None when texts are scored only as written.
        clock: Seconds since the epoch, for `processed_at`.
    """

    def __init__(
        self,
        input_settings: InputSettings,
        output_settings: OutputSettings,
        model: ModelIdentity,
        thresholds: ThresholdSet,
        view: str | None,
        clock: WallClock,
    ) -> None:
        self._topic = output_settings.topic
        self._comment = comment_writer(output_settings.text, input_settings.text_pointer)
        self._headers = constant_headers(input_settings.topic)
        self._input_topic = input_settings.topic
        self._digest = model.digest
        self._scoring = scoring_name(thresholds.name, view)
        self._view = view
        self._no_view = _json(view_info(view, None))
        self._template = _template(input_settings.topic, model, thresholds)
        self._begin_log("")
        self._written_labels: dict[tuple[str, ...], bytes] = {}
        self._clock = clock

    def encode(self, outcome: Labelled) -> Outgoing:
        """The record to produce: same key as the comment's, CloudEvents headers, trace context passed on."""
        record = outcome.record
        scores, labels, text, view = outcome.classification
        partition, offset = record.partition() or 0, record.offset() or 0
        kind, milliseconds = record.timestamp()
        timestamp = None if kind == _NO_TIMESTAMP else rfc3339(milliseconds)
        now = rfc3339(int(self._clock() * 1000)) or b""
        if outcome.assignment.topic_id != self._topic_id:
            self._begin_log(outcome.assignment.topic_id)
        identity = self._ids.of(partition, offset)
        value = self._template % (
            identity,
            to_json(outcome.id),
            _ID_SOURCES[outcome.id_source],
            self._comment(outcome),
            self._label_list(labels),
            _TRUE_FALSE[bool(labels)],
            to_json(scores),
            text.tokens,
            text.windows,
            _TRUE_FALSE[text.truncated],
            self._no_view if view is None else _json(view_info(self._view, view)),
            self._topic_id_json,
            partition,
            offset,
            b"null" if timestamp is None else b'"%b"' % timestamp,
            now,
        )
        headers: list[tuple[str, bytes | None]] = [
            *self._headers,
            ("ce_id", identity),
            ("ce_time", now),
            ("ce_subject", outcome.id.encode()),
        ]
        received = headers_of(record)
        if received:
            headers += trace_headers(received)
        return Outgoing(self._topic, record.key(), value, headers, _NOW)

    def _begin_log(self, topic_id: str) -> None:
        """Switch to the log that the following events belong to."""
        self._topic_id = topic_id
        self._topic_id_json = _json(topic_id or None)
        self._ids = EventIds(log_name(self._input_topic, topic_id), self._digest, self._scoring)

    def _label_list(self, labels: tuple[str, ...]) -> bytes:
        """The JSON array of these labels; a model gives few combinations in practice, so each is serialised once."""
        written = self._written_labels.get(labels)
        if written is None:
            written = self._written_labels[labels] = _json(labels)
        return written


def view_info(version: str | None, view: ViewFacts | None) -> dict[str, Any] | None:
    """What an event says about the second reading; None when no text gets one."""
    if version is None:
        return None
    transforms, tokens = view or ((), 0)
    return {"version": version, "scored": view is not None, "transforms": transforms, "tokens": tokens}


def _template(input_topic: str, model: ModelIdentity, thresholds: ThresholdSet) -> bytes:
    """A label event with `%` fields for what differs between events, in the order in which `encode` fills them."""
    return b"".join(
        (
            b'{"schema_version":' + _constant(SCHEMA_VERSION),
            b',"id":"%b","comment_id":{"value":%b,"source":%b},"comment":%b,"labels":%b,"flagged":%b,"scores":%b',
            b',"thresholds":' + _constant({"set": thresholds.name, "values": thresholds.values}),
            b',"model":' + _constant(model._asdict()),
            b',"text":{"tokens":%d,"windows":%d,"truncated":%b},"view":%b',
            b',"source":{"topic":'
            + _constant(input_topic)
            + b',"topic_id":%b,"partition":%d,"offset":%d,"timestamp":%b}',
            b',"processed_at":"%b"}',
        )
    )


def _constant(value: Any) -> bytes:
    return _json(value).replace(b"%", b"%%")


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
