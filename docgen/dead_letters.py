"""The page of dead-letter reasons: what the worker says of records that it is shown here."""

import re
from pathlib import Path
from typing import Any

import worker
from docgen.markdown import code, page, sentence, table
from testkit.records import record
from worker.events.decoding import Decoder
from worker.events.refused_record import Refusal
from worker.settings import InputSettings
from worker.types import Assignment, Rejected

_INTRODUCTION = """\
*Stage* and *error* are the headers `__connect.errors.stage` and `__connect.errors.exception.class.name` of a dead
letter, and the labels of `sluice_dead_letters_total`. *Sentence* is the header `__connect.errors.exception.message`; it
never quotes the record. [Dead letters](../how-to/dead-letters.md) says what to do about them.

A null value is no dead letter: it is a tombstone, and is passed over or forwarded.
"""

_SURROGATE = rb"\ud800"


def _markup(text: bytes) -> bytes:
    return b'{"id": "1", "text": "' + text + b'"}'


EXAMPLES: list[tuple[str, bytes, dict[str, Any]]] = [
    ("empty, truncated, NaN, a byte order mark, bytes after the object", b'{"id": "1", "text": NaN}', {}),
    ("invalid UTF-8", b'{"id": "1", "text": "\xff"}', {}),
    ("half of a surrogate pair", b'{"id": "1", "text": "' + _SURROGATE + b'"}', {}),
    ("a name twice in one object", b'{"id": "1", "text": "a", "text": "b"}', {}),
    ("nested too deep", b'{"id": "1", "text": "a", "x": ' + b"[" * 220 + b"]" * 220 + b"}", {}),
    ("larger than `input.max_value_bytes`", b'{"id": "1", "text": "' + b"a" * 1000 + b'"}', {"max_value_bytes": 256}),
    ("JSON, but no object", b"[1, 2]", {}),
    ("nothing at `input.id_pointer`", b'{"text": "a"}', {}),
    ("an id that is neither a string nor an integer", b'{"id": 1.5, "text": "a"}', {}),
    ("an id that is no string, with `input.id_kind=string`", b'{"id": 1, "text": "a"}', {"id_kind": "string"}),
    ("an id that is no integer, with `input.id_kind=integer`", b'{"id": "1", "text": "a"}', {"id_kind": "integer"}),
    ("an id that is no UUID, with `input.id_kind=uuid`", b'{"id": "1", "text": "a"}', {"id_kind": "uuid"}),
    ("nothing at `input.text_pointer`", b'{"id": "1"}', {}),
    ("nothing at any `input.text_pointer`", b'{"id": "1"}', {"text_pointer": ["/title", "/body"]}),
    ("a text that is no string", b'{"id": "1", "text": null}', {}),
    ("neither a CloudEvent in the value nor in the headers", b'{"id": "1"}', {"envelope": "cloudevents"}),
    ("a CloudEvent of another version", b'{"specversion": "0.3"}', {"envelope": "cloudevents"}),
    (
        "a CloudEvent whose data is no object, or that has none",
        b'{"specversion": "1.0", "data": "a"}',
        {"envelope": "cloudevents"},
    ),
    (
        "a CloudEvent with other data in base64",
        b'{"specversion": "1.0", "data_base64": "a"}',
        {"envelope": "cloudevents"},
    ),
    ("no change event of Debezium", b'{"id": "1", "text": "a"}', {"envelope": "debezium"}),
    ("a change event of another kind, such as a logical message", b'{"op": "m"}', {"envelope": "debezium"}),
    ("a change event without a row", b'{"op": "c", "after": null}', {"envelope": "debezium"}),
    ("a change event of MongoDB whose row is no JSON", b'{"op": "c", "after": "a"}', {"envelope": "debezium"}),
    (
        "a row without its text, since that did not change",
        b'{"op": "u", "after": {"id": "1", "text": "__debezium_unavailable_value"}}',
        {"envelope": "debezium"},
    ),
    ("no envelope of Kafka Connect", b'{"id": "1", "text": "a"}', {"envelope": "connect"}),
    ("an envelope of Kafka Connect around no object", b'{"schema": null, "payload": 1}', {"envelope": "connect"}),
    ("markup that is too long", _markup(b"<b>" + b"a" * 131_072), {"text_format": "html"}),
    ("markup with too many tags", _markup(b"<b>" * 4097), {"text_format": "html"}),
]

_LATER = [
    ("VALIDATE", "CloudEventsBatch", "a batch of CloudEvents (`application/cloudevents-batch+json`)"),
    ("DECODE", "UnknownMagicByte", "a value without a schema registry's framing, where `input.format` is not json"),
    ("DECODE", "BrokenFraming", "a value that ends within that framing"),
    ("DECODE", "UnknownSchema", "a schema id that the registry does not have"),
    ("DECODE", "WrongSchemaType", "a schema of another format than `input.format`"),
    ("DECODE", "PayloadMismatch", "a payload that can't be read with its schema, or breaks a rule of its JSON Schema"),
    ("TOKENIZE", "class of the exception", "a text the tokenizer fails on, found by halving its batch"),
    ("INFERENCE", "class of the exception", "a text the model fails on, found by halving its batch"),
    ("INFERENCE", "NonFiniteScore", "a text whose scores are not finite, also in float32"),
    ("INFERENCE", "NoTokens", "a text the tokenizer makes no token of, where the model needs one"),
    ("PRODUCE", "OutputTooLarge", "a label event larger than the output topic takes (`max.message.bytes`)"),
    (
        "PRODUCE",
        "InvalidRecord",
        "a label event without a key for a compacted topic, or one that fails a broker's schema check",
    ),
    ("PRODUCE", "InvalidTimestamp", "a label event whose timestamp the output topic refuses: clocks differ"),
    ("PRODUCE", "PolicyViolation", "a label event that a policy of the cluster refuses"),
]


def render() -> str:
    """The page."""
    rows = [[what, code(one.stage.value), code(one.error), sentence(one.reason)] for what, one in rejections()]
    rows += [[what, code(stage), _class(error), ""] for stage, error, what in _LATER]
    return page("Dead-letter reasons", _INTRODUCTION.strip(), table(["record", "stage", "error", "sentence"], rows))


def rejections() -> list[tuple[str, Rejected]]:
    """What the decoder makes of each example, with the settings that it needs."""
    assignment = Assignment("comments", 0, 1)
    found = []
    for what, value, settings in EXAMPLES:
        outcome = Decoder(InputSettings.model_validate(settings)).decode(record(value), assignment)
        assert isinstance(outcome, Rejected), what  # noqa: S101 - an example that is no longer rejected is a wrong page
        found.append((what, outcome))
    return found


def errors_in_the_code() -> set[str]:
    """Every fixed word that the code rejects a record with."""
    before = r'Stage\.[A-Z]+,\s*|(?:error|missing)(?:, \w+)? = |Unscorable\(\s*|", '
    pattern = re.compile(rf'(?:{before})"([A-Z][a-z]+(?:[A-Z][a-z0-9]*)+)"')
    sources = (path.read_text(encoding="utf-8") for path in Path(worker.__file__).parent.rglob("*.py"))
    return {word for source in sources for word in pattern.findall(source)} | {refusal.value for refusal in Refusal}


def _class(error: str) -> str:
    return error if " " in error else code(error)
