"""From a labelled comment to the record of its label event.

The value is written from a template made once for each model and threshold set, and the comment's own bytes are
spliced in: whatever the producer wrote (number formats, field order, unknown fields) reaches the reader untouched,
and nothing is serialised twice. A test checks the result against `schemas.LabelEvent`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from pydantic_core import SchemaSerializer, to_json
from pydantic_core.core_schema import dict_schema, float_schema, str_schema

from schemas.cloudevents import constant_headers
from schemas.identity import EventIds, log_name, scoring_name
from schemas.label import SCHEMA_VERSION
from schemas.timestamps import rfc3339
from worker.events.comment_in_event import comment_writer
from worker.events.headers import headers_of
from worker.events.label_names import LabelNames
from worker.events.trace_context import trace_headers
from worker.named_tuples import maker
from worker.protocols import WallClock
from worker.reasons.spans import Reasons
from worker.settings import InputSettings, OutputSettings, TextFormat
from worker.types import Classification, IdSource, Labelled, ModelIdentity, Outgoing, ViewFacts
from worker.verdicts import Language, ThresholdSet, Tier

_outgoing = maker(Outgoing)
_NO_TIMESTAMP = 0
_NOW = 0
_TRUE_FALSE = (b"false", b"true")
_scores_json = SchemaSerializer(dict_schema(str_schema(), float_schema())).to_json
"""As `to_json`, in three quarters of its time: it need not look at what each value is."""
_ID_SOURCES = {source: to_json(source.value) for source in IdSource}


class _Origin(NamedTuple):
    """What the events of one partition of a log share.

    Attributes:
        event_id: Gives the id of the event of an offset.
        template: The event, with fields for what differs.
        headers: Their CloudEvents headers.
    """

    event_id: Callable[[int], bytes]
    template: bytes
    headers: Sequence[tuple[str, bytes | None]]


class LabelEventEncoder:
    """Encodes `Labelled` outcomes of one model.

    Args:
        input_settings: Say where the text is.
        output_settings: Names the output topic and whether the text is kept, hashed or dropped.
        model: Identity that every event carries.
        thresholds: Threshold set that every event carries.
        labels: The model's labels, in its order.
        view: Name and version of the second reading; None when texts are scored only as written.
        clock: Seconds since the epoch, for `processed_at`.
    """

    def __init__(
        self,
        input_settings: InputSettings,
        output_settings: OutputSettings,
        model: ModelIdentity,
        thresholds: ThresholdSet,
        labels: Sequence[str],
        view: str | None,
        clock: WallClock,
    ) -> None:
        names = LabelNames(output_settings.label_names, labels)
        self._renamed = names.classification if names.model_labels else None
        self._topic = output_settings.topic
        self._rewritten = comment_writer(output_settings.text, input_settings.text_pointer)
        self._digest = model.digest
        self._scoring = scoring_name(thresholds.name, view)
        self._view = view
        self._no_view = _json(view_info(view, None))
        self._write_template = partial(
            _template, model=model, thresholds=names.thresholds(thresholds), model_labels=names.model_labels
        )
        self._origins: dict[tuple[str, str, int], _Origin] = {}
        self._written_verdicts: dict[tuple[tuple[str, ...], tuple[str, ...], bool], bytes] = {}
        self._written_languages: dict[Language | None, bytes] = {None: b"null"}
        self._text_pointer = pointer_of_text(input_settings)
        self._clock = clock

    def encode(self, outcome: Labelled) -> Outgoing:
        """The record to produce: same key as the comment's, CloudEvents headers, trace context passed on."""
        record = outcome.record
        comment = outcome.document or record.value() or b""
        found = outcome.classification if self._renamed is None else self._renamed(outcome.classification)
        scores, labels, text, view, acted, language, needs_review, reasons = found
        offset = record.offset() or 0
        kind, milliseconds = record.timestamp()
        timestamp = None if kind == _NO_TIMESTAMP else rfc3339(milliseconds)
        now = rfc3339(int(self._clock() * 1000)) or b""
        assignment = outcome.assignment
        place = assignment.topic, assignment.topic_id, assignment.partition
        origin = self._origins.get(place) or self._origin_of(*place)
        identity = origin.event_id(offset)
        value = origin.template % (
            identity,
            to_json(outcome.id),
            _ID_SOURCES[outcome.id_source],
            comment if self._rewritten is None else self._rewritten(comment),
            self._written_verdicts.get((labels, acted, needs_review)) or self._verdict(found),
            _scores_json(scores),
            text.tokens,
            text.windows,
            _TRUE_FALSE[text.truncated],
            self._no_view if view is None else _json(view_info(self._view, view)),
            self._written_languages.get(language) or self._language(language),
            b"null" if reasons is None else _json(reasons_info(reasons, self._text_pointer)),
            offset,
            b"null" if timestamp is None else b'"%b"' % timestamp,
            now,
        )
        headers: list[tuple[str, bytes | None]] = [
            *origin.headers,
            ("ce_id", identity),
            ("ce_time", now),
            ("ce_subject", outcome.id.encode()),
        ]
        received = headers_of(record)
        if received:
            headers += trace_headers(received)
        return _outgoing((self._topic, record.key(), value, headers, _NOW))

    def _origin_of(self, topic: str, topic_id: str, partition: int) -> _Origin:
        ids = EventIds(log_name(topic, topic_id), self._digest, self._scoring)
        template = self._write_template(topic, topic_id, partition)
        origin = _Origin(partial(ids.of, partition), template, constant_headers(topic))
        self._origins[topic, topic_id, partition] = origin
        return origin

    def _verdict(self, found: Classification) -> bytes:
        """The members `labels` to `tiers`; a model gives few combinations in practice, so each is serialised once."""
        written = _json(verdict_info(found))[1:-1]
        self._written_verdicts[found.labels, found.acted, found.needs_review] = written
        return written

    def _language(self, language: Language | None) -> bytes:
        written = self._written_languages[language] = _json(language_info(language))
        return written


def verdict_info(found: Classification) -> dict[str, Any]:
    """What an event says about the labels: which, and which tier each of them reached."""
    return {
        "labels": found.labels,
        "flagged": found.flagged,
        "tier": found.tier,
        "tiers": {label: Tier.ACT if label in found.acted else Tier.REVIEW for label in found.labels},
    }


def language_info(language: Language | None) -> dict[str, Any] | None:
    """What an event says about the text's language; None when none is detected."""
    return None if language is None else language._asdict()


def reasons_info(reasons: Reasons | None, text_pointer: str | None) -> dict[str, Any] | None:
    """What an event says about the words that carry its labels; None when it says nothing.

    Args:
        reasons: Of the text.
        text_pointer: Where in `comment` the text is that they count in; None when it is not there.
    """
    if reasons is None:
        return None
    labels = {
        label: {
            "spans": [{**reason.span._asdict(), "share": reason.share} for reason in found.spans],
            "window": None if found.window is None else found.window._asdict(),
        }
        for label, found in reasons.labels.items()
    }
    return {"method": reasons.method, "text_pointer": text_pointer, "labels": labels}


def pointer_of_text(settings: InputSettings) -> str | None:
    """Where the scored text is in a comment; None where it is joined of several fields or read from markup."""
    pointers = settings.text_pointer
    return pointers[0] if len(pointers) == 1 and settings.text_format is TextFormat.PLAIN else None


def threshold_info(thresholds: ThresholdSet) -> dict[str, Any]:
    """What an event says about the threshold set."""
    return {
        "set": thresholds.name,
        "values": thresholds.values,
        "act": dict(thresholds.act),
        "made_for": thresholds.made_for,
    }


def view_info(version: str | None, view: ViewFacts | None) -> dict[str, Any] | None:
    """What an event says about the second reading; None when no text gets one."""
    if version is None:
        return None
    transforms, tokens = view or ((), 0)
    return {"version": version, "scored": view is not None, "transforms": transforms, "tokens": tokens}


def _template(
    input_topic: str,
    topic_id: str,
    partition: int,
    *,
    model: ModelIdentity,
    thresholds: ThresholdSet,
    model_labels: Mapping[str, str],
) -> bytes:
    """A label event with `%` fields for what differs between events, in the order in which `encode` fills them."""
    return b"".join(
        (
            b'{"schema_version":' + _constant(SCHEMA_VERSION),
            b',"id":"%b","comment_id":{"value":%b,"source":%b},"comment":%b,%b,"scores":%b',
            b',"thresholds":' + _constant(threshold_info(thresholds)),
            b',"model_labels":' + _constant(model_labels),
            b',"model":' + _constant(model._asdict()),
            b',"text":{"tokens":%d,"windows":%d,"truncated":%b},"view":%b,"language":%b,"reasons":%b',
            b',"source":{"topic":' + _constant(input_topic) + b',"topic_id":' + _constant(topic_id or None),
            b',"partition":' + _constant(partition) + b',"offset":%d,"timestamp":%b}',
            b',"processed_at":"%b"}',
        )
    )


def _constant(value: Any) -> bytes:
    return _json(value).replace(b"%", b"%%")


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
