"""CloudEvents 1.0, as the Kafka protocol binding carries them.

Structured mode: the value is the event, `data` (or `data_base64`) what it is about. Binary mode: the attributes are
headers `ce_...`, and the value is the data. A record says which it is by `content-type`, else by what it has.
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

import base64
import binascii
from typing import Any

from worker.documents.lossless_json import parse
from worker.documents.unreadable import Unreadable, type_name
from worker.types import Headers

_STRUCTURED = b"application/cloudevents"
_BATCH = b"application/cloudevents-batch"
_VERSION = "1.0"


def from_cloudevent(document: dict[str, Any], headers: Headers) -> tuple[dict[str, Any], str | None]:
    """The data of an event, and the event's id.

    Raises:
        Unreadable: It is no CloudEvent of version 1.0, or its data is not a JSON object.
    """
    given = {name.lower(): value or b"" for name, value in headers}
    content_type = given.get("content-type", b"").lower()
    if content_type.startswith(_BATCH):
        error = "CloudEventsBatch"
        raise Unreadable(error, "the record is a batch of CloudEvents; one event a record is required")
    if "ce_specversion" in given and not content_type.startswith(_STRUCTURED):
        _check_version(given["ce_specversion"].decode(errors="replace"))
        return document, given.get("ce_id", b"").decode(errors="replace") or None
    if "specversion" not in document:
        error = "NotACloudEvent"
        raise Unreadable(error, "there is neither /specversion in the value nor a header ce_specversion")
    _check_version(document["specversion"])
    event_id = document.get("id")
    return _data(document), event_id if type(event_id) is str and event_id else None


def _check_version(version: Any) -> None:
    if version != _VERSION:
        error = "CloudEventVersionUnknown"
        raise Unreadable(error, f"the CloudEvent is not of version {_VERSION}")


def _data(event: dict[str, Any]) -> dict[str, Any]:
    data = event.get("data")
    encoded = event.get("data_base64")
    where = "/data"
    if data is None and type(encoded) is str:
        where = "/data_base64"
        try:
            data = parse(base64.b64decode(encoded, validate=True))
        except (ValueError, binascii.Error):
            error = "CloudEventDataInvalid"
            raise Unreadable(error, f"the value at {where} is not JSON in base64") from None
    if type(data) is not dict:
        error = "CloudEventDataNotAnObject"
        raise Unreadable(error, f"the value at {where} is {type_name(data)}; a JSON object is required")
    return data
