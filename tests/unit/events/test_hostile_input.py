"""A hundred thousand hostile records go through decoding, model and encoding; none crashes it and none is lost."""

from collections import Counter

import pytest

from schemas import LabelEvent
from testkit.hostile import hostile_records
from testkit.keyword_classifier import KeywordClassifier
from testkit.records import ASSIGNMENT
from worker.events.decoding import Decoder
from worker.events.label_event import LabelEventEncoder
from worker.settings import InputSettings, OutputSettings
from worker.types import Comment, Labelled, Rejected

SEEDS = (20261122, 20261123, 20261124, 20261125)
RECORDS = 25_000
"""Records of each seed: several seeds, so that tests run in parallel share the work."""


@pytest.mark.parametrize("seed", SEEDS)
def test_every_hostile_record_has_one_outcome_and_every_event_keeps_the_schema(seed: int) -> None:
    model = KeywordClassifier()
    decoder = Decoder(InputSettings())
    encoder = LabelEventEncoder(
        *(InputSettings(), OutputSettings(), model.identity, model.thresholds, model.labels, model.view),
        lambda: 1_795_348_800.0,
    )
    seen: Counter[str] = Counter()
    for record in hostile_records(seed=seed, count=RECORDS):
        outcome = decoder.decode(record, ASSIGNMENT)
        if isinstance(outcome, Rejected):
            seen[f"{outcome.stage}/{outcome.error}"] += 1
            assert outcome.reason
            continue
        seen[type(outcome).__name__] += 1
        if isinstance(outcome, Comment):
            (classification,) = model.score(model.encode([outcome.text]))
            event = encoder.encode(Labelled(*outcome[:4], classification, *outcome[4:]))  # type: ignore[arg-type] # the union of confluent-kafka's and our types
            assert event.value is not None
            assert LabelEvent.model_validate_json(event.value).source.offset == record.offset()
    assert seen.total() == RECORDS
    kinds = {"Comment", "Skipped", "DECODE/InvalidJson", "DECODE/InvalidUtf8", "DECODE/LoneSurrogate"}
    kinds |= {"DECODE/DuplicateName", "DECODE/NestedTooDeep", "VALIDATE/NotAnObject", "VALIDATE/IdMissing"}
    assert kinds <= seen.keys()
