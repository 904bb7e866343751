"""The reference pages say what the code does."""

import sys

import pytest

from docgen import dead_letters
from docgen.pages import FOLDER, PAGES
from worker.settings.configuration import names
from worker.settings.origins import variable


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_gives(name: str) -> None:
    if name == "commands.md" and sys.version_info >= (3, 13):
        pytest.skip("argparse words its help differently from Python 3.13 on")
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name](), "run `make reference`"


SWEPT = "architectures.md"
"""Written by `make sweep`, which takes minutes; a test of the forward pass holds it against transformers' classes."""


def test_there_is_no_other_page_in_the_folder() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*PAGES, SWEPT}


@pytest.mark.parametrize("error", sorted(dead_letters.errors_in_the_code()))
def test_every_reason_in_the_code_is_on_the_page(error: str) -> None:
    assert f"`{error}`" in (FOLDER / "dead-letter-reasons.md").read_text(encoding="utf-8")


def test_every_setting_is_on_the_page_with_its_variable() -> None:
    page = (FOLDER / "settings.md").read_text(encoding="utf-8")
    for name in names():
        assert f"| `{variable(name)}` |" in page
