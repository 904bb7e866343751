"""Reads label events in the output's format, for commands that follow the output topic."""

from collections.abc import Callable
from typing import Any

import jiter
from pydantic_core import to_json

from worker.errors import SluiceError
from worker.events.headers import headers_of
from worker.formats.registry import ask, make_client
from worker.settings import Format, Settings
from worker.types import Record

_NO_EVENT = "no label event"


def event_reader(settings: Settings) -> Callable[[Record], bytes]:
    """What turns a record of the output topic into the JSON of its label event.

    The function raises `ValueError` for a record that holds none, `Retryable` when the registry does not answer.

    Raises:
        SettingsInvalid: A property of the registry is wrong, or the extra `registry` is not installed.
    """
    kind = settings.output.format
    if kind is Format.JSON:
        return lambda record: record.value() or b""
    client = make_client(settings.registry)
    from worker.formats.framing import Undecodable, context_of, unframed  # noqa: PLC0415 - an optional extra
    from worker.formats.reading import make_reader  # noqa: PLC0415 - an extra
    from worker.formats.registry import NotInRegistry  # noqa: PLC0415 - an extra

    read = make_reader(kind, client, settings.registry)

    def event(record: Record) -> bytes:
        context = context_of(record.topic() or "", headers_of(record))
        try:
            framed = unframed(record.value() or b"", context, kind)
            document = ask(settings.registry, f"for {framed.name}", lambda: read(framed))
            return document if kind is Format.JSON_SCHEMA else _with_comment_as_value(document)
        except (Undecodable, NotInRegistry) as error:
            raise ValueError(_NO_EVENT) from error
        except SluiceError:
            raise
        except Exception as error:  # whatever a format's library makes of a payload
            raise ValueError(_NO_EVENT) from error

    return event


def _with_comment_as_value(document: bytes) -> bytes:
    """The event with its comment as a value again, and with null where Protobuf has nothing."""
    event: dict[str, Any] = jiter.from_json(document)
    event["comment"] = jiter.from_json(event["comment"].encode())
    event["model"].setdefault("revision", None)
    event["source"].setdefault("timestamp", None)
    return to_json(event)
