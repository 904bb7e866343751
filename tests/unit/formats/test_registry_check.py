"""`sluice doctor` says of a schema registry what a worker's start would, and leaves it as it was."""

import json
from typing import Any

import httpx2
import pytest
from confluent_kafka.schema_registry import Schema
from confluent_kafka.schema_registry.error import SchemaRegistryError
from pydantic_core import to_json

from testkit.kafka import free_ports
from testkit.registry_double import RegistryDouble
from worker.__main__ import main
from worker.errors import NoBroker
from worker.findings import Finding, Severity
from worker.formats import registry_check
from worker.formats.framing import context_of
from worker.formats.output_schema import EXAMPLE
from worker.formats.registry_check import look_at_registry
from worker.formats.writing import make_writer
from worker.settings import Format, InputSettings, OutputSettings, RegistrySettings, Settings, SubjectStrategy

URL = "http://registry:8081"
REGISTRY = RegistrySettings(url=URL)
COMMENT = Schema(json.dumps({"type": "record", "name": "Comment", "fields": []}), "AVRO")
FORMATS = [Format.AVRO, Format.JSON_SCHEMA, Format.PROTOBUF]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> RegistryDouble:
    double = RegistryDouble()
    monkeypatch.setattr(registry_check, "make_client", lambda _: double)
    return double


def settings(reading: Format = Format.JSON, writing: Format = Format.JSON, **registry: Any) -> Settings:
    return Settings(
        input=InputSettings(format=reading),
        output=OutputSettings(format=writing),
        registry=RegistrySettings(url=URL, **registry),
    )


def look(given: Settings) -> list[Finding]:
    return list(look_at_registry(given))


def test_without_a_registry_nothing_is_looked_at(registry: RegistryDouble) -> None:
    registry.failure = AssertionError("it was asked")
    assert look(Settings()) == []


@pytest.mark.usefixtures("registry")
def test_a_registry_that_no_format_needs_is_only_asked_whether_it_answers() -> None:
    assert look(settings()) == [Finding(Severity.OK, f"the schema registry at {URL} answers this user")]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_new_subject_is_named_and_not_registered(kind: Format, registry: RegistryDouble) -> None:
    (finding,) = look(settings(writing=kind))
    assert finding.severity is Severity.OK
    assert "can be registered under the subject comment-labels-value" in finding.text
    assert registry.real.get_subjects() == []


@pytest.mark.usefixtures("registry")
def test_the_subject_is_named_as_the_strategy_says() -> None:
    (finding,) = look(settings(writing=Format.AVRO, subject_name_strategy=SubjectStrategy.RECORD))
    assert "under the subject sluice.LabelEvent" in finding.text


@pytest.mark.parametrize("register", [True, False])
def test_a_schema_that_is_registered_is_found(register: bool, registry: RegistryDouble) -> None:
    make_writer(Format.AVRO, registry.real, REGISTRY)(to_json(EXAMPLE), context_of("comment-labels", []))
    found = look(settings(writing=Format.AVRO, register_schemas=register))
    assert found == [Finding(Severity.OK, "subject comment-labels-value has the label event's schema")]


def test_an_incompatible_subject_is_an_error_in_the_words_of_the_start(registry: RegistryDouble) -> None:
    registry.real.register_schema("comment-labels-value", COMMENT)
    registry.compatible = False
    (finding,) = look(settings(writing=Format.AVRO))
    assert finding.severity is Severity.ERROR
    assert f"not compatible with the subject comment-labels-value at {URL}" in finding.text


@pytest.mark.usefixtures("registry")
def test_a_schema_that_must_be_there_and_is_not_is_an_error_with_its_file() -> None:
    (finding,) = look(settings(writing=Format.AVRO, register_schemas=False))
    assert finding.severity is Severity.ERROR
    assert "register schemas/avro/label-event.avsc there" in finding.text


def test_the_inputs_subject_is_there_or_of_another_type_or_missing(registry: RegistryDouble) -> None:
    (missing,) = look(settings(reading=Format.AVRO))
    registry.real.register_schema("comments-value", COMMENT)
    (there,) = look(settings(reading=Format.AVRO))
    (other,) = look(settings(reading=Format.PROTOBUF))
    assert (missing.severity, there.severity, other.severity) == (Severity.WARNING, Severity.OK, Severity.WARNING)
    assert "has no subject comments-value" in missing.text
    assert there.text == "subject comments-value is there, with a schema of type AVRO"
    assert "of type AVRO, and input.format = protobuf" in other.text


@pytest.mark.usefixtures("registry")
def test_an_input_whose_subject_only_its_records_name_is_not_guessed_at() -> None:
    (finding,) = look(settings(reading=Format.AVRO, subject_name_strategy=SubjectStrategy.RECORD))
    assert "answers this user" in finding.text


def test_refused_credentials_are_an_error_for_each_question(registry: RegistryDouble) -> None:
    registry.failure = SchemaRegistryError(401, -1, "")
    findings = look(settings(reading=Format.AVRO, writing=Format.AVRO))
    assert [finding.severity for finding in findings] == [Severity.ERROR] * 2
    assert all("check registry.username and registry.password" in finding.text for finding in findings)


def test_a_registry_that_is_away_is_waited_for_once(registry: RegistryDouble) -> None:
    registry.failure = httpx2.ConnectError("Connection refused")
    (finding,) = look(settings(reading=Format.AVRO, writing=Format.AVRO))
    assert finding.severity is Severity.ERROR
    assert f"the schema registry at {URL} did not answer" in finding.text


@pytest.mark.usefixtures("registry")
def test_what_the_registry_says_is_shown_where_no_broker_answers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)  # a .env in the working folder would be read
    given = ["output.format=avro", f"registry.url={URL}", "kafka.no_broker_seconds=0.5"]
    flags = [part for one in given for part in ("--set", one)]
    code = main(["doctor", "--json", "--bootstrap-servers", f"127.0.0.1:{free_ports(1)[0]}", *flags])
    assert code == NoBroker.exit_code
    assert json.loads(capsys.readouterr().out)["severity"] == "ok"
