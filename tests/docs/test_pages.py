"""What the pages say in passing (settings, commands, files) exists."""

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from docgen.commands import help_of
from tests.deploy.files import unknown_settings
from tests.docs.blocks import DOCS, PAGES, ROOT, Block, all_blocks, name_of
from worker.command_list import COMMANDS
from worker.settings import Settings
from worker.settings.configuration import load, names

WRITTEN = [page for page in PAGES if page.parent.name != "reference"]
OTHERS = [
    ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "RELEASING.md", "deploy/README.md", "examples/README.md")
]
FOLDERS = ("worker", "schemas", "deploy", "examples", "tests", "testkit", "docs", "benchmarks", "training")
_SEPARATORS = frozenset({"|", "||", "&", "&&", ";", ">", "<", ">>"})
_DOTTED = re.compile(rf"`((?:{'|'.join(Settings.model_fields)})\.[a-z_]+)`")


def sluice_commands(shell: str) -> Iterator[list[str]]:
    """The arguments of every `sluice` in a shell block."""
    for line in shell.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        try:
            words = list(lexer)
        except ValueError:  # a quote that goes on in the next line
            continue
        for start, word in enumerate(words):
            first = start == 0 or words[start - 1] in _SEPARATORS or re.fullmatch(r"\w+=.*", words[start - 1])
            if word == "sluice" and first:
                rest = words[start + 1 :]
                end = next((at for at, one in enumerate(rest) if one in _SEPARATORS), len(rest))
                yield rest[:end]


COMMAND_LINES = [
    pytest.param(command, id=f"{name_of(page)}:{block.line}:{' '.join(command)[:40]}")
    for page, block in all_blocks("sh")
    for command in sluice_commands(block.text)
]


@pytest.mark.parametrize("command", COMMAND_LINES)
def test_every_command_exists_with_its_options(command: list[str]) -> None:
    names_of_commands = [word for word in command if word in COMMANDS]
    if not names_of_commands:
        assert command == ["--version"]
        return
    offered = help_of(names_of_commands[0], "--help") + help_of("--help-settings")
    for word in command:
        if word.startswith("--"):
            assert re.search(rf"{word.partition('=')[0]}\b", offered), word


def test_the_check_of_commands_sees_options_that_do_not_exist() -> None:
    assert list(sluice_commands("A=1 sluice run --wrong | sluice watch > x")) == [["run", "--wrong"], ["watch"]]
    assert "--wrong" not in help_of("run", "--help")


@pytest.mark.parametrize("page", [*WRITTEN, *OTHERS], ids=name_of)
def test_settings_that_are_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    variables = [name.rstrip("_") for name in re.findall(r"SLUICE_[A-Z_]+(?:__[A-Z_]+)+", text)]
    assert unknown_settings(variables) == []
    assert set(_DOTTED.findall(text)) <= set(names())


@pytest.mark.parametrize(
    ("page", "block"), [pytest.param(*one, id=f"{name_of(one[0])}:{one[1].line}") for one in all_blocks("toml")]
)
def test_every_settings_file_is_one_the_worker_takes(page: Path, block: Block, tmp_path: Path) -> None:
    del page
    assert tomllib.loads(block.text)
    file = tmp_path / "sluice.toml"
    file.write_text(block.text, encoding="utf-8")
    (tmp_path / "empty").touch()
    load(file, env_file=tmp_path / "empty")


def test_every_json_and_yaml_block_can_be_read() -> None:
    for _, block in all_blocks("json"):
        json.loads(block.text)
    for _, block in all_blocks("yaml"):
        assert yaml.safe_load(block.text)


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=name_of)
def test_links_and_images_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", [*WRITTEN, *OTHERS], ids=name_of)
def test_files_that_are_named_exist(page: Path) -> None:
    """Paths in backticks that begin with a folder of the repository."""
    text = page.read_text(encoding="utf-8")
    for path in re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", [*WRITTEN, *OTHERS], ids=name_of)
def test_make_targets_that_are_named_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)) <= targets


def test_every_page_stands_in_the_navigation() -> None:
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]

    def files(entries: list[object]) -> Iterator[str]:
        for entry in entries:
            for value in entry.values() if isinstance(entry, dict) else [entry]:
                yield from files(value) if isinstance(value, list) else [str(value)]

    assert sorted(files(navigation)) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))
