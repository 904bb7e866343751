"""Every command has immediate help, errors become a message and an exit code, and stdout holds only results."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from testkit.keyword_classifier import POISON, UNSCORABLE, UNTOKENIZABLE, KeywordClassifier
from worker import __version__, cli
from worker.__main__ import INTERRUPTED, main
from worker.command_list import COMMANDS, FLAGS
from worker.errors import BreakerOpen, DrainDeadlinePassed, Fatal, ModelFault, NoBroker, SettingsInvalid, SluiceError

ROOT = Path(cli.__file__).parents[1]

HEAVY = ("torch", "transformers", "confluent_kafka", "numpy", "rich", "matplotlib")

LIST_HEAVY_MODULES = f"""
import contextlib, io, sys
from worker.command_list import COMMANDS
from worker.__main__ import main
for command in [[], *([name] for name in COMMANDS)]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        main([*command, "--help"])
print([name for name in {HEAVY} if name in sys.modules])
"""


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # a .env in the working folder would be read
    monkeypatch.delenv("SLUICE_DATA", raising=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example_of_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"example: sluice {command}" in capsys.readouterr().out


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    output = capsys.readouterr().out
    assert all(f"\n  {command} " in output for command in COMMANDS)


def test_help_fits_a_terminal_of_80_by_24_with_the_commands_last(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main(["--help"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 24
    assert max(map(len, lines)) < 80
    assert lines[-1].split()[0] == list(COMMANDS)[-1]


@pytest.mark.parametrize(("command", "matters"), [("classify", "--model"), ("produce", "--input-topic")])
def test_help_of_a_command_names_only_the_settings_that_matter_to_it(
    command: str, matters: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    output = capsys.readouterr().out
    assert matters in output
    assert "--dead-letter-topic" not in output
    assert "--help-settings" in output


def test_every_flag_that_stands_for_a_setting_has_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help-settings"])
    assert ended.value.code == 0
    output = capsys.readouterr().out
    assert all(f"({name})" in output for name, _ in FLAGS.values())


def test_help_imports_nothing_slow() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIST_HEAVY_MODULES], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"sluice {__version__}\n"


@pytest.mark.parametrize("shell", cli.SHELLS)
def test_completion_knows_every_command_and_its_options(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--completion", shell])
    assert ended.value.code == 0
    script = capsys.readouterr().out
    assert all(command in script for command in COMMANDS)
    assert "--clean-weight" in script


def test_the_shell_reads_its_completion() -> None:
    script = subprocess.run(
        [sys.executable, "-m", "worker", "--completion", "bash"], capture_output=True, check=True, cwd=ROOT
    ).stdout
    subprocess.run(["bash", "-n"], input=script, check=True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--group", "mine", "--set", "model.id=a", "config", "--json"],
        ["config", "--json", "--group", "mine", "--set", "model.id=a"],
        ["--set", "model.id=a", "--group", "other", "config", "--json", "--group", "mine"],
        ["--set", "kafka.group_id=mine", "config", "--json", "--set", "model.id=a"],
    ],
)
def test_settings_may_come_before_or_after_the_command_and_the_later_one_wins(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    settings = json.loads(capsys.readouterr().out)
    assert (settings["kafka"]["group_id"], settings["model"]["id"]) == ("mine", "a")


def test_a_settings_file_may_come_before_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sluice.toml").write_text('[kafka]\ngroup_id = "mine"\n', encoding="utf-8")
    assert main(["--config", "sluice.toml", "config", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kafka"]["group_id"] == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a command, for example: sluice demo"),
        (["version"], "did you mean --version?"),
        (["clasify", "a text"], "that is no command; did you mean classify?"),
        (["a text"], "that is no command; sluice --help lists them"),
        (["--json", "config"], "stands after it: sluice config --json"),
        (["--input", "c.csv", "classify"], "stands after it: sluice classify --input"),
        (["produce", "--input", "c.csv"], "unrecognized arguments: --input"),
    ],
)
def test_an_unknown_command_gets_a_hint_what_to_write(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["config", "--no-such-flag"], ["config", "--set", "x"]])
def test_wrong_arguments_end_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert "usage: sluice" in output.err


def test_all_wrong_settings_are_reported_at_once_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["config", "--set", "batch.max_records=0", "--set", "model.device=tpu", "--set", "kafka.grupo=a"])
    output = capsys.readouterr()
    assert code == 2
    assert output.out == ""
    for name in ("batch.max_records", "model.device", "kafka.grupo"):
        assert name in output.err


def test_config_as_json_is_one_object_with_its_secrets_masked(capsys: pytest.CaptureFixture[str]) -> None:
    properties = json.dumps(
        {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.username": "me", "sasl.password": "hunter2"}
    )
    assert main(["config", "--json", "--group", "mine", "--set", f"kafka.properties={properties}"]) == 0
    output = capsys.readouterr()
    assert "hunter2" not in output.out + output.err
    (line,) = output.out.splitlines()
    kafka = json.loads(line)["kafka"]
    assert kafka["group_id"] == "mine"
    assert kafka["properties"]["sasl.password"] == "***"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Fatal, 1),
        (SettingsInvalid, 2),
        (NoBroker, 3),
        (DrainDeadlinePassed, 4),
        (BreakerOpen, 5),
        (ModelFault, 6),
    ],
)
def test_an_error_is_a_message_on_stderr_and_its_exit_code(
    error: type[SluiceError], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Sequence[str]) -> None:
        raise error("what happened, and what to do")  # noqa: EM101 - short enough

    monkeypatch.setattr(cli, "dispatch", fail)
    assert main(["run"]) == code
    assert capsys.readouterr() == ("", "sluice: what happened, and what to do\n")


def test_an_interrupt_ends_quietly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(_: Sequence[str]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "dispatch", interrupt)
    assert main(["watch"]) == INTERRUPTED
    assert capsys.readouterr() == ("", "")


def test_a_reader_that_goes_away_is_not_an_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "worker", "config"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None and process.stderr is not None  # noqa: PT018 - both are pipes
        process.stdout.close()
        complaint = process.stderr.read()
    assert (process.returncode, complaint) == (0, b"")


@pytest.mark.parametrize("as_json", [True, False])
def test_texts_that_cannot_be_scored_have_a_line_that_says_why_and_the_others_are_labelled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    monkeypatch.setattr("worker.classifier.Classifier.load", lambda *_, **__: KeywordClassifier())
    texts = ["stupid", UNTOKENIZABLE, POISON, UNSCORABLE, "jerk"]
    assert main(["classify", *texts, *(["--json"] if as_json else [])]) == ModelFault.exit_code
    output = capsys.readouterr()
    assert "3 of the texts could not be scored" in output.err
    lines = output.out.splitlines()
    if as_json:
        found = [json.loads(line) for line in lines]
        assert [one.get("labels") for one in found] == [["toxic"], None, None, None, ["insult"]]
        assert [one.get("error") for one in found] == [None, "ValueError", "Poison", "NonFiniteScore", None]
    else:
        assert [line.split()[0] for line in lines] == ["toxic", "!", "!", "!", "insult"]


def test_a_thread_still_in_native_code_does_not_change_the_exit_code() -> None:
    program = (
        "import threading, time, torch\n"
        "from worker import __main__ as command\n"
        "def compute():\n"
        "    rows = torch.ones(300, 300)\n"
        "    while True:\n"
        "        rows @ rows\n"
        "threading.Thread(target=compute, daemon=True).start()\n"
        "command.main = lambda: print('dropped') or 4\n"
        "command.entry()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60, cwd=ROOT
    )
    assert (done.returncode, done.stdout) == (4, "dropped\n")
