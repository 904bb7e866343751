"""The JSON Schemas that are checked in are those of the models."""

import pytest

from schemas.generate import EVENTS, FOLDER, render


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_the_schema_file_has_not_drifted_from_its_model(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == render(EVENTS[name]), "run `make schemas` and commit"


def test_no_schema_file_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(EVENTS)
