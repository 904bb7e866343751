"""Where settings come from, which source wins, and how faults are told."""

from pathlib import Path

import pytest

from worker.configuration import MASK, load, shown
from worker.errors import SettingsInvalid
from worker.settings import Settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_anything_the_defaults_hold() -> None:
    assert load() == Settings()


def test_flags_win_over_toml_over_dotenv_over_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for number, name in enumerate(("GROUP_ID", "CLIENT_ID", "BOOTSTRAP_SERVERS", "NO_BROKER_SECONDS")):
        monkeypatch.setenv(f"SLUICE_KAFKA__{name}", f"{number}1")
    (tmp_path / ".env").write_text(
        "SLUICE_KAFKA__GROUP_ID=dotenv\nSLUICE_KAFKA__CLIENT_ID=dotenv\nSLUICE_KAFKA__BOOTSTRAP_SERVERS=dotenv\n"
    )
    config = tmp_path / "sluice.toml"
    config.write_text('[kafka]\ngroup_id = "toml"\nclient_id = "toml"\n')
    kafka = load(config, {"kafka.group_id": "flag"}).kafka
    assert (kafka.group_id, kafka.client_id, kafka.bootstrap_servers, kafka.no_broker_seconds) == (
        "flag",
        "toml",
        "dotenv",
        31,
    )


def test_properties_are_json_wherever_they_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_KAFKA__PROPERTIES", '{"security.protocol": "SSL"}')
    assert load().kafka.properties == {"security.protocol": "SSL"}
    assert load(flags={"kafka.properties": '{"a": "b"}'}).kafka.properties == {"a": "b", "security.protocol": "SSL"}


def test_all_problems_are_told_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLUICE_BATCH__MAX_RECORDS", "many")
    monkeypatch.setenv("SLUICE_BATCH__MAX_RECORD", "5")
    config = tmp_path / "sluice.toml"
    config.write_text('[http]\nport = 99999\n[modle]\nid = "x"\n')
    with pytest.raises(SettingsInvalid) as fault:
        load(config, {"log.levl": "info"})
    told = str(fault.value)
    assert "batch.max_records = 'many' (SLUICE_BATCH__MAX_RECORDS)" in told
    assert "SLUICE_BATCH__MAX_RECORD in the environment: there is no such setting; did you mean" in told
    assert "http.port = 99999" in told
    assert "modle: there is no such setting" in told
    assert "log.levl: there is no such setting; did you mean log.level?" in told


def test_rules_across_fields_are_told_in_words() -> None:
    with pytest.raises(SettingsInvalid, match="must differ: the worker would read its own output"):
        load(flags={"output.topic": "comments"})
    with pytest.raises(SettingsInvalid, match=r"must be longer than delivery\.transaction_timeout_seconds = 15"):
        load(flags={"delivery.guarantee": "exactly-once", "delivery.drain_seconds": "15"})


@pytest.mark.parametrize("text", ["not json", '["a"]'])
def test_properties_that_are_no_object_are_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SLUICE_KAFKA__PROPERTIES", text)
    with pytest.raises(SettingsInvalid, match="properties"):
        load()


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="No such file"):
        load(tmp_path / "nowhere.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("[kafka\n")
    with pytest.raises(SettingsInvalid, match=r"broken\.toml: not TOML"):
        load(broken)


def test_secrets_are_masked() -> None:
    settings = load(flags={"kafka.properties": '{"sasl.password": "hunter2", "sasl.username": "ann"}'})
    assert shown(settings)["kafka"]["properties"] == {"sasl.password": MASK, "sasl.username": "ann"}


@pytest.mark.parametrize("properties", ['["sasl.password", "hunter2"]', '"sasl.password=hunter2"'])
def test_properties_in_a_wrong_form_are_not_repeated(
    properties: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_toml = tmp_path / "sluice.toml"
    in_toml.write_text(f"[kafka]\nproperties = {properties!r}\n")
    with pytest.raises(SettingsInvalid, match="properties") as refused:
        load(in_toml)
    assert "hunter2" not in str(refused.value)
    monkeypatch.setenv("SLUICE_KAFKA__PROPERTIES", properties)
    with pytest.raises(SettingsInvalid, match="properties") as refused:
        load()
    assert "hunter2" not in str(refused.value)
