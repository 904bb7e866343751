"""Values of Kafka Connect's JsonConverter with `schemas.enable=true`: an object of `schema` and `payload`."""

from typing import Any

from worker.documents.unreadable import Unreadable, type_name


def from_connect(document: dict[str, Any]) -> dict[str, Any] | None:
    """The payload; None where it is null, which is how Connect writes a tombstone that keeps its schema.

    Raises:
        Unreadable: It is no such envelope, or its payload is not an object.
    """
    if not has_payload(document):
        error = "NotAConnectEnvelope"
        raise Unreadable(error, "the value is not an object of /schema and /payload alone")
    payload = document["payload"]
    if payload is not None and type(payload) is not dict:
        error = "PayloadNotAnObject"
        raise Unreadable(error, f"the value at /payload is {type_name(payload)}; a JSON object is required")
    return payload


def has_payload(document: dict[str, Any]) -> bool:
    """Whether a document is such an envelope."""
    return document.keys() == {"schema", "payload"}
