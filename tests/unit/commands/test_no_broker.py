"""Nothing listens at the broker's address: a command says so in two lines, soon."""

import argparse
from pathlib import Path

import pytest

from testkit.kafka import free_ports
from worker.__main__ import main
from worker.commands import run, topics
from worker.errors import NoBroker
from worker.kafka.preflight import Preflight
from worker.settings import Settings


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # a .env in the working folder would be read


@pytest.mark.parametrize("command", [["topics"], ["produce"], ["watch"], ["dead-letters", "show"]])
def test_without_a_broker_it_says_what_it_waits_for_and_then_what_failed_and_how_often(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    servers = f"127.0.0.1:{free_ports(1)[0]}"
    code = main([*command, "--bootstrap-servers", servers, "--set", "kafka.no_broker_seconds=1.5"])
    assert code == NoBroker.exit_code
    output = capsys.readouterr()
    assert output.out == ""
    waiting, failed = output.err.splitlines()
    assert f"waiting for a broker at {servers}, 1.5 s at most" in waiting
    assert failed.startswith(f"sluice: no broker of {servers} answered within 1.5 s (Connect to ")
    assert "Connection refused" in failed
    assert "connections failed" in failed


@pytest.mark.parametrize(
    ("module", "flags", "seconds"),
    [
        ("topics", [], 10),
        ("topics", ["--set", "kafka.no_broker_seconds=60"], 60),
        ("run", [], 60),
    ],
)
def test_a_command_somebody_waits_for_gives_up_sooner_than_a_worker_unless_told(
    module: str, flags: list[str], seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    def look(_: argparse.Namespace, settings: Settings) -> None:
        waited.append(settings.kafka.no_broker_seconds)

    monkeypatch.setattr({"topics": topics, "run": run}[module], "run", look)
    assert main([module, *flags]) == 0
    assert waited == [seconds]


@pytest.mark.parametrize(("thorough", "times"), [(False, 0), (True, 1)])
def test_the_look_beside_a_workers_start_leaves_it_to_the_worker_to_say_that_it_waits(
    thorough: bool, times: int, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = f"127.0.0.1:{free_ports(1)[0]}"
    settings = Settings(kafka={"bootstrap_servers": nowhere, "no_broker_seconds": 1.5})
    with pytest.raises(NoBroker):
        Preflight(settings, thorough=thorough).look()
    assert sum("waiting for a broker" in record.getMessage() for record in caplog.records) == times
