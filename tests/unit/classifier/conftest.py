"""Checkpoints that the classifier's tests share; each is created once."""

from pathlib import Path

import pytest
import torch

from testkit.checkpoints import Checkpoints, make_checkpoint
from worker.classifier import Classifier


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Use one thread: models this small are slower with threads that wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Checkpoints:
    """The folder of a small checkpoint of an architecture; tests must not change it."""
    made: dict[str, Path] = {}

    def folder(architecture: str) -> Path:
        if architecture not in made:
            made[architecture] = make_checkpoint(tmp_path_factory.mktemp(architecture), architecture)
        return made[architecture]

    return folder


@pytest.fixture(scope="session")
def bert(checkpoints: Checkpoints) -> Path:
    """A small BERT checkpoint; tests must not change it."""
    return checkpoints("bert")


@pytest.fixture
def classifier(bert: Path) -> Classifier:
    """A float32 classifier over `bert`."""
    return Classifier.load(str(bert), precision="float32")
