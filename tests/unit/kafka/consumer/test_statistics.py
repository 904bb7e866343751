"""Lag counts from what this worker has committed, in transactions too, of which librdkafka's own lag knows nothing."""

import json

from worker.kafka.consumer.assignments import Assignments
from worker.kafka.consumer.statistics import read_statistics

C0, C1 = ("comments", 0), ("comments", 1)
PARTITIONS = {
    "0": {"ls_offset": 100, "consumer_lag": 90},
    "1": {"ls_offset": 100, "consumer_lag": 40},
    "2": {"ls_offset": -1001, "consumer_lag": -1},
    "3": {"ls_offset": 100, "consumer_lag": 7},
    "-1": {"ls_offset": -1001, "consumer_lag": -1},
}
REPORT = json.dumps(
    {
        "brokers": {"a:9092/1": {"state": "UP"}, "b:9092/2": {"state": "INIT"}},
        "topics": {"comments": {"partitions": PARTITIONS}},
        "cgrp": {"join_state": "steady"},
    }
)


def test_lag_is_known_where_the_end_and_the_offset_are() -> None:
    statistics = read_statistics(REPORT, {C0: 98, C1: None, ("comments", 2): 5, ("absent", 0): 1})
    assert statistics.lag_records == {C0: 2, C1: 40}
    assert (statistics.brokers_up, statistics.join_state) == (1, "steady")


def test_an_offset_newer_than_the_report_is_no_negative_lag() -> None:
    assert read_statistics(REPORT, {C0: 103}).lag_records == {C0: 0}


def test_offsets_are_known_from_their_commit_to_the_end_of_the_assignment() -> None:
    assignments = Assignments("comments")
    first, _ = assignments.begin([C0, C1])
    assignments.confirm({first: 7})
    assert assignments.committed() == {C0: 7, C1: None}
    assignments.end([C0])
    assignments.begin([C0])
    assert assignments.committed() == {C0: None, C1: None}
