"""Which label events are compared, and how they are taken from the stream."""

from typing import Any

from testkit.keyword_classifier import KeywordClassifier
from testkit.records import ASSIGNMENT, record
from tests.unit.shadow.made import labelled
from worker.shadow.sampled import Incumbent, Sampled, Scorer
from worker.shadow.sampling import Sampling
from worker.shadow.tap import TappedPublisher
from worker.stream.model_in_use import ModelInUse
from worker.types import Batch, ModelIdentity, Rejected, Settled, Skipped, Stage
from worker.verdicts import ThresholdSet


def chosen(sampling: Sampling, **where: Any) -> list[int]:
    return [offset for offset in range(20_000) if sampling.chooses(labelled(offset, **where))]


def test_a_share_of_the_records_is_chosen() -> None:
    found = chosen(Sampling(0.05))
    assert 880 < len(found) < 1120  # four deviations of 20,000 draws
    odd = sum(offset % 2 for offset in found)
    assert 0.4 < odd / len(found) < 0.6, "no offset is favoured"


def test_a_replay_chooses_the_same_and_another_log_others() -> None:
    first = chosen(Sampling(0.05))
    assert chosen(Sampling(0.05)) == first
    assert set(chosen(Sampling(0.1))) > set(first), "a larger sample holds the smaller one"
    for other in ({"partition": 1}, {"topic_id": "created-again"}):
        assert len(set(chosen(Sampling(0.05), **other)) & set(first)) < 120


def test_all_are_chosen_where_all_are_asked_for() -> None:
    assert len(chosen(Sampling(1))) == 20_000


class Delivered:
    """A publisher whose batches are settled as they are."""

    def __init__(self) -> None:
        self.settled: list[Settled] = []

    def settle(self, timeout_seconds: float) -> list[Settled]:
        del timeout_seconds
        settled, self.settled = self.settled, []
        return settled


class Successor(KeywordClassifier):
    identity = ModelIdentity("successor", "2", "sha256:" + "cd" * 32, "float32")
    thresholds = ThresholdSet("strict@1", {"toxic": 0.1})


def test_only_label_events_that_are_out_are_offered_and_each_names_the_model_that_made_it() -> None:
    offered: list[Sampled] = []
    model = ModelInUse(KeywordClassifier())
    delivered: Any = Delivered()
    tapped = TappedPublisher(delivered, Sampling(1), Incumbent(model), offered.extend)
    refused = Rejected(record(b"x", offset=2), ASSIGNMENT, Stage.DECODE, "InvalidJson", "not JSON")
    deletion = Skipped(record(None, offset=3), ASSIGNMENT, forwarded=True)
    outcomes: list[Any] = [labelled(1), refused, deletion]

    delivered.settled = [Settled(Batch(outcomes, {}), outcomes)]
    assert tapped.settle(0.0)[0].outcomes is outcomes
    model.change_to(Successor())
    delivered.settled = [Settled(Batch([labelled(4)], {}), [labelled(4)])]
    tapped.settle(0.0)

    assert [one.offset for one in offered] == [1, 4]
    assert [one.incumbent.name for one in offered] == [
        "abababababab/float32/default@1",
        "cdcdcdcdcdcd/float32/strict@1",
    ]
    assert offered[0].verdict.acted == ("toxic",)


def test_other_values_under_the_name_of_a_threshold_set_are_something_to_compare() -> None:
    class Lenient(Successor):
        thresholds = ThresholdSet("strict@1", {"toxic": 0.2})

    class Acting(Successor):
        thresholds = ThresholdSet("strict@1", {"toxic": 0.1}, act={"toxic": 0.9})

    class Renamed(Successor):
        thresholds = ThresholdSet("renamed@1", {"toxic": 0.1})

    scorer = Scorer.of(Successor())
    assert [scorer.scores_as(Scorer.of(one())) for one in (Successor, Lenient, Acting, Renamed)] == [
        True,
        False,
        False,
        True,
    ]
