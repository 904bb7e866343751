"""What a shadow's examples need is looked at and never ends a worker, which does its work without them."""

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError
from confluent_kafka.admin._acl import AclOperation

from worker.findings import Severity
from worker.kafka.preflight import findings_of_examples


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART), "`sluice topics` creates it"),
        (KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED), "--operation Write --topic examples"),
        (KafkaError(KafkaError._TIMED_OUT), "can't be described"),
        (SimpleNamespace(authorized_operations=[AclOperation.READ]), "--operation Write --topic examples"),
    ],
)
def test_examples_that_cannot_be_written_are_a_warning(found: Any, said: str) -> None:
    (finding,) = findings_of_examples("examples", found)
    assert finding.severity is Severity.WARNING
    assert said in finding.text
    assert "the shadow's examples are lost" in finding.text


@pytest.mark.parametrize("operations", [None, [AclOperation.WRITE]])
def test_a_topic_that_may_be_written_is_fine(operations: list[AclOperation] | None) -> None:
    (finding,) = findings_of_examples("examples", SimpleNamespace(authorized_operations=operations))
    assert finding.severity is Severity.OK
