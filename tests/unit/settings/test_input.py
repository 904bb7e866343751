"""Topics are named one by one or by a pattern, and never include what the worker writes."""

from typing import Any

import pytest

from worker.errors import SettingsInvalid
from worker.settings import InputSettings
from worker.settings.configuration import load


@pytest.mark.parametrize(
    ("given", "topics"),
    [
        ("comments", ("comments",)),
        ("a,b", ("a", "b")),
        ("a, b", ("a", "b")),
        (["a", "b"], ("a", "b")),
        ('["a", "b"]', ("a", "b")),
        (r"^comments\.", ()),
        ("^a{1,2}$", ()),
    ],
)
def test_topics_are_names_or_one_pattern(given: Any, topics: tuple[str, ...]) -> None:
    assert InputSettings(topic=given).topics == topics


@pytest.mark.parametrize("given", ["", "a,", "a,a", "..", "a b", "comments*", "^(", "a,^b"])
def test_what_names_no_topic_is_refused(given: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"input\.topic"):
        load(flags={"input.topic": given})


@pytest.mark.parametrize("topic", ["comments,comments.dlq", "^comments", "^.*labels$"])
def test_the_worker_never_reads_what_it_writes(topic: str) -> None:
    with pytest.raises(SettingsInvalid, match="its own output"):
        load(flags={"input.topic": topic})


def test_a_pattern_matches_from_its_beginning() -> None:
    assert [
        InputSettings(topic=r"^comments\.").reads(name) for name in ("comments.en", "comments", "my.comments.en")
    ] == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("variable", "value", "read"),
    [
        ("TEXT_POINTER", "/body", {"text_pointer": ("/body",)}),
        ("TEXT_POINTER", '["/title", "/body"]', {"text_pointer": ("/title", "/body")}),
        ("TOPIC", "a,b", {"topic": "a,b"}),
    ],
)
def test_lists_come_from_variables_too(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, read: dict[str, Any]
) -> None:
    monkeypatch.setenv(f"SLUICE_INPUT__{variable}", value)
    assert load().input == InputSettings(**read)


def test_conditions_come_from_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_INPUT__WHERE", '[{"pointer": "/a", "in": ["x", 1]}, {"pointer": "/b", "exists": true}]')
    assert [condition.pointer for condition in load().input.where] == ["/a", "/b"]


@pytest.mark.parametrize("value", ["[", "[1]", '[{"pointer": "/a"}]', "/a"])
def test_conditions_that_are_none_are_refused_by_name(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SLUICE_INPUT__WHERE", value)
    with pytest.raises(SettingsInvalid, match=r"input\.where"):
        load()
