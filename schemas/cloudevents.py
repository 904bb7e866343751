"""CloudEvents 1.0 attributes of a label event, in the Kafka protocol binding's binary mode.

Binary mode: the record's value is the event's data, and each attribute is a header `ce_<name>` in UTF-8;
`content-type` has no prefix.
"""

LABEL_EVENT_TYPE = "sluice.comment.labelled.v1"
LABEL_EVENT_SCHEMA = "urn:sluice:schema:label-event:1.0"


def constant_headers(input_topic: str) -> list[tuple[str, bytes]]:
    """Headers that every label event made from one input topic shares."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_type", LABEL_EVENT_TYPE.encode()),
        ("ce_source", f"urn:kafka:topic:{input_topic}".encode()),
        ("ce_dataschema", LABEL_EVENT_SCHEMA.encode()),
        ("content-type", b"application/json"),
    ]
