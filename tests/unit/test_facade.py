"""`import sluice` gives the public names, and nothing before it is used."""

import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import sluice
import worker

ROOT = Path(__file__).parents[2]
PUBLIC = [
    "BatchSettings",
    "Classification",
    "Classifier",
    "CommentEvent",
    "DeadLetterHeaders",
    "LabelEvent",
    "LabelReasons",
    "Language",
    "ModelFault",
    "ModelIdentity",
    "ModelInfo",
    "ModelSettings",
    "Poison",
    "Reason",
    "Reasons",
    "Settings",
    "SettingsInvalid",
    "SluiceError",
    "SourceCoordinates",
    "Span",
    "TextFacts",
    "TextInfo",
    "ThresholdSet",
    "Thresholds",
    "Tier",
    "Unscorable",
    "ViewFacts",
    "ViewInfo",
    "__version__",
    "event_id",
]


def test_exported_names() -> None:
    assert sluice.__all__ == PUBLIC
    assert dir(sluice) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_exported_name_can_be_imported(name: str) -> None:
    assert getattr(sluice, name) is not None


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Tokenizer'"):
        getattr(sluice, "Tokenizer")  # noqa: B009 - mypy knows that there is none


def test_the_classifier_is_the_one_of_its_own_package() -> None:
    assert sluice.Classifier is importlib.import_module("worker.classifier").Classifier


def test_import_sluice_imports_neither_torch_nor_pydantic_nor_kafka() -> None:
    program = (
        "import sys, sluice; print(*({'torch', 'transformers', 'pydantic', 'confluent_kafka'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []


def test_the_classifier_is_imported_without_torch() -> None:
    program = "import sys; from sluice import Classifier; print(*({'torch', 'transformers'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []


def test_python_m_sluice_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sluice", "--version"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == f"sluice {worker.__version__}\n"


def test_the_version_is_written_once_and_followed_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "worker.__version__"}
    folder = ROOT / "deploy/kubernetes"
    kustomizations = [folder / "base/kustomization.yaml", *folder.glob("examples/*/kustomization.yaml")]
    for path in kustomizations:
        (image,) = yaml.safe_load(path.read_text(encoding="utf-8"))["images"]
        assert image["name"] == "sluice"
        assert image["newTag"] == worker.__version__, path
    for name in ("docker-compose.yml", "deploy/Dockerfile", "deploy/README.md", "docs/how-to/kubernetes.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        tags = set(re.findall(r"\bsluice:([\w.]+)", text))
        assert tags == {worker.__version__}, name
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", changelog, re.MULTILINE)
    assert released[0] == worker.__version__


def test_the_torch_that_is_installed_is_the_one_that_the_constraints_name() -> None:
    """A second pin in a file that installs it would be forgotten one day."""
    assert re.findall(r"^torch==\S+$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    for name in ("Makefile", ".ci/install-torch", ".ci/check-distribution", "deploy/Dockerfile"):
        assert not re.search(r"\btorch==\d", (ROOT / name).read_text(encoding="utf-8")), name
