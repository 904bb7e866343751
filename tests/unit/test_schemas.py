"""The schemas that are checked in are those of the models, and a registry's formats can hold every event."""

from pathlib import Path

import pytest

from schemas.avro_schema import avro_schema
from schemas.generate import ASYNCAPI_FILE, AVRO_FILE, FOLDER, PROTOBUF_FILE, texts
from schemas.label import LabelEvent
from schemas.protobuf_schema import NUMBERS, messages


@pytest.mark.parametrize("path", texts(), ids=lambda path: path.name)
def test_the_schema_file_has_not_drifted_from_its_model(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == texts()[path], "run `make schemas` and commit"


def test_no_schema_file_is_left_over() -> None:
    folders = (FOLDER, ASYNCAPI_FILE.parent, AVRO_FILE.parent, PROTOBUF_FILE.parent)
    assert {path for folder in folders for path in folder.iterdir()} == set(texts())


def test_every_field_of_the_event_keeps_its_number_on_the_wire() -> None:
    """Numbers are positions in this table; a field that moved would be read as another by who has the older schema."""
    event = ["schema_version", "id", "comment", "labels", "flagged", "scores", "thresholds", "model", "text", "view"]
    assert list(NUMBERS["LabelEvent"][:15]) == [*event, "source", "processed_at", "comment_id", "tier", "tiers"]
    assert NUMBERS["LabelEvent"][15] == "language"
    assert NUMBERS["Thresholds"][:4] == ("set", "values", "act", "made_for")
    assert NUMBERS["SourceCoordinates"][:5] == ("topic", "topic_id", "partition", "offset", "timestamp")
    for _, fields in messages(LabelEvent).values():
        assert len({field.number for field in fields}) == len(fields)


def test_an_event_of_an_older_version_can_be_read_with_todays_avro_schema() -> None:
    """A reader's schema needs a default for each field that an older writer did not have."""
    for name, since in (("tier", None), ("tiers", {}), ("language", None), ("comment_id", None)):
        (field,) = [field for field in avro_schema(LabelEvent)["fields"] if field["name"] == name]
        assert field["default"] == since
