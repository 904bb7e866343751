"""A machine for which the detector has no wheel installs and labels all the same, and says what it lacks."""

import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from testkit.checkpoints import make_checkpoint
from worker.classifier import Classifier
from worker.classifier.text.language import detector_for
from worker.errors import SettingsInvalid
from worker.settings import ModelSettings, OtherLanguages


@pytest.fixture
def _without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycld2", None)


@pytest.mark.usefixtures("_without_the_library")
def test_a_machine_without_the_library_labels_all_the_same_and_says_what_to_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert detector_for(ModelSettings(), ["en"]) is None
    (said,) = caplog.messages
    assert "pip install pycld2" in said
    assert "SLUICE_MODEL__DETECT_LANGUAGE=false" in said


@pytest.mark.usefixtures("_without_the_library")
def test_a_machine_without_the_library_gives_labels_without_a_language(tmp_path: Path) -> None:
    (found,) = Classifier.load(str(make_checkpoint(tmp_path))).classify(["Das ist wirklich eine gute Idee."])
    assert found.scores
    assert found.language is None


@pytest.mark.usefixtures("_without_the_library")
def test_a_machine_without_the_library_cannot_promise_that_other_languages_are_reviewed() -> None:
    with pytest.raises(SettingsInvalid, match=r"other_languages = review needs pycld2.*pip install pycld2"):
        detector_for(ModelSettings(other_languages=OtherLanguages.REVIEW), ["en"])


@pytest.mark.usefixtures("_without_the_library")
def test_a_machine_without_the_library_says_nothing_when_detection_is_off(caplog: pytest.LogCaptureFixture) -> None:
    assert detector_for(ModelSettings(detect_language=False), ["en"]) is None
    assert not caplog.messages


@pytest.mark.parametrize(
    ("system", "machine", "required"),
    [
        ("linux", "x86_64", True),
        ("darwin", "arm64", True),
        ("win32", "AMD64", True),
        ("linux", "aarch64", False),
        ("linux", "armv7l", False),
        ("darwin", "x86_64", False),
        ("win32", "ARM64", False),
    ],
)
def test_the_library_is_required_only_where_it_has_a_wheel(system: str, machine: str, required: bool) -> None:
    project = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text())["project"]
    (requirement,) = (one for one in map(Requirement, project["dependencies"]) if one.name == "pycld2")
    assert requirement.marker is not None
    assert requirement.marker.evaluate({"sys_platform": system, "platform_machine": machine}) is required
