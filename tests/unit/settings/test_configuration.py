"""Where settings come from, which source wins, and how problems are reported."""

import json
from pathlib import Path

import pytest

from worker.errors import SettingsInvalid
from worker.settings import Settings
from worker.settings.configuration import load, shown
from worker.settings.secrets import MASK, without_secrets


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


def test_all_problems_are_reported_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLUICE_BATCH__MAX_RECORDS", "many")
    monkeypatch.setenv("SLUICE_KAFKA__PROPERTIES", '{"group.id": "g", "acks": "1", "fetch.min.bytes": null}')
    monkeypatch.setenv("SLUICE_BATCH__MAX_RECORD", "5")
    config = tmp_path / "sluice.toml"
    config.write_text('[http]\nport = 99999\n[modle]\nid = "x"\n')
    with pytest.raises(SettingsInvalid) as caught:
        load(config, {"log.levl": "info"})
    told = str(caught.value)
    assert "kafka.properties: group.id can't be set: set kafka.group_id" in told
    assert "kafka.properties: acks can't be set: every in-sync replica must acknowledge" in told
    assert "kafka.properties: fetch.min.bytes must be a string, a number or a boolean, not NoneType" in told
    assert "batch.max_records = 'many' (SLUICE_BATCH__MAX_RECORDS)" in told
    assert "SLUICE_BATCH__MAX_RECORD in the environment: there is no such setting; did you mean" in told
    assert "http.port = 99999" in told
    assert "modle: there is no such setting" in told
    assert "log.levl: there is no such setting; did you mean log.level?" in told


def test_rules_across_fields_are_explained() -> None:
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


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("group.id", "kafka.group_id"),
        ("enable.auto.commit", "acknowledged"),
        ("auto.offset.reset", "input.start"),
        ("transactional.id", "delivery.guarantee"),
        ("acks", "in-sync"),
        ("partitioner", "murmur2"),
    ],
)
def test_what_the_worker_must_own_is_refused_with_what_to_do_instead(name: str, instead: str) -> None:
    with pytest.raises(SettingsInvalid, match=instead):
        load(flags={"kafka.properties": json.dumps({name: "x"})})


def test_a_poll_interval_that_a_rebalance_could_outlast_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match=r"at least 80000"):
        load(flags={"kafka.properties": '{"max.poll.interval.ms": 60000}'})


def test_a_poll_interval_that_a_slow_model_could_outlast_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match=r"delivery\.pause_after_seconds = 80"):
        load(flags={"kafka.properties": '{"max.poll.interval.ms": 90000}', "delivery.pause_after_seconds": "80"})


@pytest.mark.parametrize(
    "secret", ["sasl.password", "ssl.key.pem", "sasl.oauthbearer.assertion.private.key.passphrase"]
)
def test_what_is_shown_and_what_is_refused_share_one_list_of_secrets(secret: str) -> None:
    assert shown(load(flags={"kafka.properties": json.dumps({secret: "hunter2"})}))["kafka"]["properties"] == {
        secret: MASK
    }
    assert without_secrets("it was hunter2", {secret: "hunter2"}) == f"it was {MASK}"


@pytest.mark.parametrize(
    ("old", "new"), [("batch.max_tokens", "model.max_pass_tokens"), ("model.max_tokens", "model.max_window_tokens")]
)
def test_an_old_name_is_read_with_a_warning_from_every_source(
    old: str, new: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (old_section, old_field), (new_section, new_field) = old.split("."), new.split(".")
    config = tmp_path / "sluice.toml"
    config.write_text(f"[{old_section}]\n{old_field} = 128\n")
    with pytest.warns(FutureWarning, match=f"{old} is now {new}"):
        in_file = load(config)
    with pytest.warns(FutureWarning, match=f"{old} is now {new}"):
        flagged = load(flags={old: "128"})
    monkeypatch.setenv(f"SLUICE_{old_section}__{old_field}".upper(), "128")
    with pytest.warns(FutureWarning, match=f"{old} is now {new}"):
        from_environment = load()
    for settings in (in_file, flagged, from_environment):
        assert getattr(getattr(settings, new_section), new_field) == 128


def test_a_new_name_wins_over_its_old_one() -> None:
    with pytest.warns(FutureWarning):
        assert load(flags={"batch.max_tokens": "128", "model.max_pass_tokens": "256"}).model.max_pass_tokens == 256


def test_an_env_file_that_was_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"--env-file .*nowhere\.env: No such file"):
        load(env_file=tmp_path / "nowhere.env")


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_an_env_file_in_another_encoding_is_named_with_the_cure(encoding: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SLUICE_KAFKA__CLIENT_ID=caf\u00e9\n", encoding=encoding)
    with pytest.raises(SettingsInvalid, match=r"\.env: not UTF-8 \(byte \d+\); save the file as UTF-8"):
        load()


def test_an_env_file_of_windows_begins_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SLUICE_KAFKA__CLIENT_ID=me\n", encoding="utf-8-sig")
    assert load().kafka.client_id == "me"


def test_a_line_of_ours_that_is_no_assignment_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# SLUICE_ settings\n\nSLUICE_KAFKA__CLIENT_ID me\n", encoding="utf-8")
    with pytest.raises(SettingsInvalid, match=r"\.env, line 3: write SLUICE_"):
        load()


def test_lines_of_other_programs_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=postgres://x\nkafka=1\nnot an assignment\nSLUICE_HTTP__PORT=0\n")
    assert load().http.port == 0


@pytest.mark.parametrize(
    "name",
    [
        "SLUICE_SERVICE_HOST",
        "SLUICE_SERVICE_PORT",
        "SLUICE_SERVICE_PORT_HTTP",
        "SLUICE_PORT",
        "SLUICE_PORT_8080_TCP",
        "SLUICE_PORT_8080_TCP_ADDR",
        "SLUICE_METRICS_SERVICE_HOST",
    ],
)
def test_variables_of_a_kubernetes_service_are_no_settings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "tcp://10.0.0.1:8080")
    assert load() == Settings()


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLUICE_MODEL__THREADS", "")
    (tmp_path / ".env").write_text("SLUICE_MODEL__REVISION=\n")
    assert load() == Settings()


@pytest.mark.parametrize("servers", ['"b:9092"', "kafka://b:9092", "b:9092, c:9092"])
def test_brokers_in_another_form_are_refused_before_anything_connects(servers: str) -> None:
    with pytest.raises(SettingsInvalid, match="write host:port"):
        load(flags={"kafka.bootstrap_servers": servers})


def test_a_property_whose_dots_made_a_table_is_answered_with_quotes(tmp_path: Path) -> None:
    config = tmp_path / "sluice.toml"
    config.write_text('[kafka.properties]\nsecurity.protocol = "SSL"\n')
    with pytest.raises(SettingsInvalid, match=r'in quotes, "security\.protocol"'):
        load(config)


def test_a_byte_order_mark_in_a_toml_file_is_named(tmp_path: Path) -> None:
    config = tmp_path / "sluice.toml"
    config.write_text("[kafka]\n", encoding="utf-8-sig")
    with pytest.raises(SettingsInvalid, match="byte order mark"):
        load(config)


def test_a_topic_of_dots_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match="the name of a topic"):
        load(flags={"input.topic": ".."})
