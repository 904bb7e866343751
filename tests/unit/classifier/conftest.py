"""Checkpoints that several tests of the classifier share; each is made once."""

from pathlib import Path

import pytest
import torch

from testkit.checkpoints import Checkpoints, make_checkpoint
from worker.classifier import Classifier


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Models this small are computed faster by one thread than by threads that wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Checkpoints:
    """Folder of a small checkpoint of an architecture; not to be changed."""
    made: dict[str, Path] = {}

    def folder(architecture: str) -> Path:
        if architecture not in made:
            made[architecture] = make_checkpoint(tmp_path_factory.mktemp(architecture), architecture)
        return made[architecture]

    return folder


@pytest.fixture(scope="session")
def bert(checkpoints: Checkpoints) -> Path:
    """A small BERT checkpoint; not to be changed."""
    return checkpoints("bert")


@pytest.fixture
def classifier(bert: Path) -> Classifier:
    """A float32 classifier over `bert`."""
    return Classifier.load(str(bert), precision="float32")
