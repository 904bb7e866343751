"""`sluice config` prints a file that `--config` reads, and says where each value comes from."""

import json
import tomllib
from pathlib import Path

import pytest

from worker.__main__ import main
from worker.errors import SettingsInvalid
from worker.settings.configuration import load

CHOSEN = [
    "--group",
    "mine",
    "--set",
    'kafka.properties={"fetch.min.bytes": 7, "sasl.password": "hunter2"}',
    "--set",
    "input.id_pointer=/data/caf\u00e9",
]


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_is_printed_is_a_file_that_gives_the_same_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", *CHOSEN]) == 0
    printed = tmp_path / "printed.toml"
    printed.write_text(capsys.readouterr().out, encoding="utf-8")
    again = load(printed)
    assert again.kafka.properties == {"fetch.min.bytes": 7}, "all but the secret"
    assert again.model_copy(update={"kafka": load().kafka}) == load(flags={"input.id_pointer": "/data/caf\u00e9"})
    assert again.kafka.group_id == "mine"


def test_a_secret_is_named_and_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", *CHOSEN]) == 0
    printed = capsys.readouterr().out
    assert '# "sasl.password" is secret and not shown' in printed
    assert "hunter2" not in printed


def test_each_value_says_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLUICE_LOG__LEVEL", "debug")
    monkeypatch.setenv("SLUICE_HTTP__PORT", "1")
    (tmp_path / ".env").write_text("SLUICE_HTTP__PORT=2\nSLUICE_HTTP__HOST=127.0.0.1\n", encoding="utf-8")
    (tmp_path / "s.toml").write_text("[batch]\nmax_records = 8\nmax_tokens = 512\n", encoding="utf-8")
    assert main(["config", "--config", "s.toml", "--model", "a"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for line in (
        'level = "debug"  # environment',
        "port = 2  # .env",
        'host = "127.0.0.1"  # .env',
        "max_records = 8  # s.toml",
        "max_pass_tokens = 512  # s.toml",
        'id = "a"  # flag',
        'group_id = "sluice"  # default',
        "# revision is not set",
    ):
        assert line in lines, line


def test_json_stays_one_object_of_all_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["http"]["port"] == 8080


def test_a_printed_file_is_toml_even_with_nothing_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    assert tomllib.loads(capsys.readouterr().out)["kafka"]["group_id"] == "sluice"
    with pytest.raises(SettingsInvalid):
        load(Path("nowhere.toml"))
