"""Secrets come from files as well as from variables, and neither is repeated in what is said of them."""

from pathlib import Path

import pytest

from worker.errors import SettingsInvalid
from worker.settings.configuration import load
from worker.settings.origins import Origins


def test_a_variable_may_name_the_file_that_holds_the_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "password"
    file.write_text("s e c r e t \n", encoding="utf-8")
    monkeypatch.setenv("SLUICE_REGISTRY__PASSWORD_FILE", str(file))
    monkeypatch.setenv("SLUICE_REGISTRY__USERNAME", "sluice")
    assert file.read_text(encoding="utf-8") == f"{load().registry.password}\n", "only the line end behind it goes"
    assert Origins(None, {}, None).of("registry.password") == "environment"


def test_so_may_a_line_of_an_env_file(tmp_path: Path) -> None:
    (tmp_path / "properties").write_text('{"sasl.password": "secret"}\n', encoding="utf-8")
    env_file = tmp_path / "sluice.env"
    env_file.write_text(f"SLUICE_KAFKA__PROPERTIES_FILE={tmp_path / 'properties'}\n", encoding="utf-8")
    assert load(env_file=env_file).kafka.properties == {"sasl.password": "secret"}


def test_a_folder_gives_a_property_for_each_file_as_kubernetes_mounts_a_secret(tmp_path: Path) -> None:
    data = tmp_path / "..2026_11_26"
    data.mkdir()
    for name, value in (("sasl.password", "secret\n"), ("sasl.username", "files")):
        (data / name).write_text(value, encoding="utf-8")
        (tmp_path / name).symlink_to(data / name)
    flags = {"kafka.properties_directory": str(tmp_path), "kafka.properties": '{"sasl.username": "given"}'}
    assert load(flags=flags).kafka.properties == {"sasl.password": "secret", "sasl.username": "given"}


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"SLUICE_REGISTRY__PASSWORD_FILE": "/nowhere"}, "SLUICE_REGISTRY__PASSWORD_FILE: /nowhere: No such file"),
        ({"SLUICE_KAFKA__PROPERTIES_DIRECTORY": "/nowhere"}, "/nowhere: No such file or directory"),
        ({"SLUICE_REGISTRY__PASWORD_FILE": "/x"}, "did you mean SLUICE_REGISTRY__PASSWORD_FILE?"),
        ({"SLUICE_REGISTRY__URL": "https://me:secret@registry"}, "registry.username and registry.password"),
        ({"SLUICE_REGISTRY__PROPERTIES": "secret"}, "registry.properties"),
        (
            {"SLUICE_REGISTRY__PASSWORD": "secret", "SLUICE_REGISTRY__PASSWORD_FILE": "/x"},
            "SLUICE_REGISTRY__PASSWORD_FILE and SLUICE_REGISTRY__PASSWORD are both set",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid) as refused:
        load()
    assert said in str(refused.value)
    assert "secret" not in str(refused.value)
