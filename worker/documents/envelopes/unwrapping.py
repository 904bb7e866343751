"""What is common to envelopes: a document goes in, and what the envelope holds comes out."""

from collections.abc import Callable
from typing import Any, NamedTuple

from worker.documents.envelopes.cloudevents import from_cloudevent
from worker.documents.envelopes.connect import from_connect
from worker.documents.envelopes.debezium import from_debezium
from worker.settings import Envelope
from worker.types import Headers


class Unwrapped(NamedTuple):
    """What an envelope holds.

    Attributes:
        document: The comment's own document.
        id: The envelope's id of it; None where envelopes of this kind have none.
    """

    document: dict[str, Any]
    id: str | None = None


Unwrap = Callable[[dict[str, Any], Headers], Unwrapped | None]
"""From a record's document and headers to what the envelope holds; None where that is the deletion of something.

It raises `Unreadable` for what is no such envelope.
"""


def unwrapper(envelope: Envelope) -> Unwrap | None:
    """The function that opens envelopes of this kind; None where records have none."""
    if envelope is Envelope.CLOUDEVENTS:
        return lambda document, headers: Unwrapped(*from_cloudevent(document, headers))
    open_it = {Envelope.DEBEZIUM: from_debezium, Envelope.CONNECT: from_connect}.get(envelope)
    if open_it is None:
        return None

    def unwrap(document: dict[str, Any], _: Headers) -> Unwrapped | None:
        inside = open_it(document)
        return None if inside is None else Unwrapped(inside)

    return unwrap
