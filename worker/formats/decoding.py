"""Decodes records whose values are in a schema registry's format: to JSON first, then as every comment is decoded."""

import structlog
from confluent_kafka.schema_registry import SchemaRegistryClient

from worker.errors import NoRegistry, Retryable, SettingsInvalid
from worker.events.headers import headers_of
from worker.formats.converted_record import ConvertedRecord
from worker.formats.framing import Fault, Framed, Undecodable, context_of, unframed
from worker.formats.reading import make_reader
from worker.formats.registry import NotInRegistry, meaning
from worker.kafka.client.retry import RetryBudget
from worker.protocols import Clock, RecordDecoder
from worker.settings import Format, RegistrySettings
from worker.types import Assignment, Decoded, Record, Rejected, Stage

log = structlog.stdlib.get_logger(__name__)

_UNKNOWN_SECONDS = 10.0
"""How long the registry's word that it has no such schema holds: one bad producer must not cost a request a record."""


class FormatDecoder:
    """Decodes records of one format; implements `worker.protocols.RecordDecoder`.

    Args:
        decoder: Decodes the JSON.
        kind: The format.
        client: The registry's client.
        settings: The registry's settings.
        max_value_bytes: Larger values are left to `decoder`, which rejects them unread.
        budget: When to ask a registry again that did not answer, and when to give up.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        decoder: RecordDecoder,
        kind: Format,
        client: SchemaRegistryClient,
        settings: RegistrySettings,
        *,
        max_value_bytes: int,
        budget: RetryBudget,
        clock: Clock,
    ) -> None:
        self._decoder = decoder
        self._kind = kind
        self._client = client
        self._settings = settings
        self._read = make_reader(kind, client, settings)
        self._max_value_bytes = max_value_bytes
        self._budget = budget
        self._clock = clock
        self._known: set[str] = set()
        self._unknown: dict[str, float] = {}
        self._away = ""

    def decode(self, record: Record, assignment: Assignment) -> Decoded:
        """As `worker.events.decoding.Decoder.decode`; the record of what it returns has the JSON as its value.

        Raises:
            Retryable: The registry does not answer, and the record's schema is not known yet.
            NoRegistry: It has not answered for `registry.no_registry_seconds`.
            SettingsInvalid: It refuses this client.
        """
        value = record.value()
        if value is None or len(value) > self._max_value_bytes:
            return self._decoder.decode(record, assignment)
        try:
            framed = unframed(value, context_of(record.topic() or "", headers_of(record)), self._kind)
            document = self._read(framed) if framed.name in self._known else self._read_first(framed)
        except (Retryable, NoRegistry, SettingsInvalid):
            raise
        except Undecodable as error:
            return Rejected(record, assignment, Stage.DECODE, error.fault.value, error.reason)
        except Exception as error:  # whatever a format's library makes of a payload
            reason = f"the payload can't be read as {self._kind} with {framed.name} ({_kind_of(error)})"
            return Rejected(record, assignment, Stage.DECODE, Fault.PAYLOAD_MISMATCH.value, reason)
        return self._decoder.decode(ConvertedRecord(record, document), assignment)

    def _read_first(self, framed: Framed) -> bytes:
        """Read a value whose schema may have to be fetched."""
        if framed.name in self._unknown and self._clock() < self._unknown[framed.name]:
            raise self._unknown_schema(framed)
        if self._budget.pausing:
            raise Retryable(self._away)
        try:
            document = self._read(framed)
        except Exception as error:
            known = meaning(self._settings, error, f"for {framed.name}")
            if isinstance(known, Retryable):
                raise self._registry_is_away(known) from None
            self._registry_answered()
            if isinstance(known, NotInRegistry):
                self._unknown[framed.name] = self._clock() + _UNKNOWN_SECONDS
                raise self._unknown_schema(framed) from None
            if known is not None:
                raise known from None
            raise self._of_another_kind(framed) or error from None
        self._registry_answered()
        self._known.add(framed.name)
        return document

    def _registry_is_away(self, error: Retryable) -> Exception:
        if not self._away:
            log.warning("the schema registry does not answer; records wait for it", cause=str(error))
        self._away = str(error)
        if self._budget.wait(paused=True):
            return error
        limit = self._settings.no_registry_seconds
        return NoRegistry(
            f"{error} for registry.no_registry_seconds = {limit:g}: check registry.url and the network. The records "
            "that need it are not committed and will be read again"
        )

    def _registry_answered(self) -> None:
        if self._away:
            log.info("the schema registry answers again")
            self._away = ""
        self._budget.renew()

    def _unknown_schema(self, framed: Framed) -> Undecodable:
        reason = f"the schema registry at {self._settings.url} has no {framed.name}"
        return Undecodable(Fault.UNKNOWN_SCHEMA, reason)

    def _of_another_kind(self, framed: Framed) -> Undecodable | None:
        """What is wrong where the schema is one of another format; None where it is not."""
        identity, asked = framed.schema, framed.schema.schema_type
        try:
            schema = (
                self._client.get_schema_by_guid(str(identity.guid))
                if identity.id is None
                else self._client.get_schema(identity.id)
            )
        except Exception:  # it is only about the words for a payload that can't be read
            return None
        found = schema.schema_type or "AVRO"
        if found == asked:
            return None
        reason = f"{framed.name} is of type {found}, and input.format = {self._kind}"
        return Undecodable(Fault.WRONG_SCHEMA_TYPE, reason)


def _kind_of(error: BaseException) -> str:
    """The class of an error, without its words, which may quote the value; of a JSON Schema also the rule broken."""
    cause = error.__context__
    rule = getattr(cause, "validator", None)
    return f"{type(error).__name__}: {rule}" if isinstance(rule, str) else type(error).__name__
