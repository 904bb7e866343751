"""A model that is changed while it scores: nothing mixed, nothing lost, and a failure changes nothing."""

import logging
import threading
from collections import Counter
from collections.abc import Sequence

import pytest

from testkit.in_memory import InMemoryPublisher, InMemorySource
from testkit.kafka import eventually
from testkit.keyword_classifier import LABELS, KeywordClassifier, Words
from tests.unit.stream.test_loop import comment, make_worker, until
from worker.errors import ModelFault
from worker.facts import ModelFacts
from worker.stream.model_change import ModelChange
from worker.stream.model_in_use import ModelInUse
from worker.types import Batch, Classification, Labelled, ModelIdentity, Unscorable


class Counting(KeywordClassifier):
    """A model by name, which counts the texts it has scored."""

    def __init__(self, name: str) -> None:
        self.identity = ModelIdentity(name, "1", "sha256:" + name * 4, "float32")
        self.scored = 0

    def score(self, encoded: Sequence[Words]) -> list[Classification | Unscorable]:
        self.scored += len(encoded)
        return super().score(encoded)

    def facts(self) -> ModelFacts:
        return ModelFacts(windows=self.scored)


class Naming(InMemoryPublisher):
    """Notes which model is in use when a batch is published."""

    def __init__(self, source: InMemorySource, model: ModelInUse) -> None:
        super().__init__(source, delay=3)
        self.model = model
        self.names: list[str] = []

    def publish(self, batch: Batch) -> None:
        self.names += [self.model.identity.id] * len(batch.outcomes)
        super().publish(batch)


def test_every_event_is_of_the_model_that_scored_it_and_none_is_missing() -> None:
    first, second = Counting("first"), Counting("second")
    model, asked, counted = ModelInUse(first), threading.Event(), Counter[str]()
    change = ModelChange(asked, lambda: second, model, lambda outcome: counted.update([outcome]))
    source = InMemorySource({0: [comment(n) for n in range(4000)]})
    publisher = Naming(source, model)

    mid_stream = iter([asked.set])

    def stop() -> bool:
        if len(publisher.published) >= 40:
            next(mid_stream, lambda: None)()
        return source.committed == {0: 4000}

    make_worker(source, publisher, model, change=change).run(until(source, stop))
    assert [outcome.record.offset() for outcome in publisher.published] == list(range(4000))
    assert all(type(outcome) is Labelled for outcome in publisher.published)
    names = Counter(publisher.names)
    assert names == {"first": first.scored, "second": second.scored}
    assert min(first.scored, second.scored) > 0
    assert publisher.names == sorted(publisher.names)
    assert counted == {"changed": 1}
    assert model.facts().windows == 4000, "counters go on from where the first model left them"


@pytest.mark.parametrize("error", [ModelFault("the folder is empty"), OSError("a disk"), MemoryError()])
def test_a_model_that_can_not_be_loaded_changes_nothing(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    model, asked, counted = ModelInUse(Counting("first")), threading.Event(), Counter[str]()

    def load() -> KeywordClassifier:
        raise error

    change = ModelChange(asked, load, model, lambda outcome: counted.update([outcome]))
    asked.set()
    with caplog.at_level(logging.ERROR):
        assert eventually(lambda: not change.is_due() and bool(counted), 30)
    assert counted == {"failed": 1}
    assert not change.is_due()
    assert model.identity.id == "first"
    assert "first" in caplog.text
    assert "stays" in caplog.text


def test_a_change_asked_for_while_one_is_loaded_comes_after_it() -> None:
    model, asked, release = ModelInUse(Counting("first")), threading.Event(), threading.Event()
    loaded: list[KeywordClassifier] = []

    def load() -> KeywordClassifier:
        release.wait(30)
        loaded.append(Counting(f"model-{len(loaded)}"))
        return loaded[-1]

    change = ModelChange(asked, load, model, lambda _: None)
    asked.set()
    assert not change.is_due()
    asked.set()
    assert not change.is_due()
    release.set()
    for name in ("model-0", "model-1"):
        assert eventually(change.is_due, 30)
        change.make()
        assert model.identity.id == name
    assert not change.is_due()


def test_who_follows_the_model_is_told_the_new_one() -> None:
    told: list[str] = []
    model = ModelInUse(Counting("first"))
    model.when_it_changes(lambda successor: told.append(successor.identity.id))
    model.change_to(Counting("second"))
    assert told == ["second"]
    assert model.labels == LABELS
