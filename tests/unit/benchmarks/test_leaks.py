"""The soak's samples survive a run that is cut off, and its stream holds what real ones do."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks.growth import growth_an_hour
from benchmarks.leaks import Sample, read_samples, record_value


def test_samples_of_a_run_cut_off_in_the_middle_of_a_line_are_read(tmp_path: Path) -> None:
    samples = [Sample(hour * 3600.0, 100 + 2.0 * hour, 20, 31, hour) for hour in range(8)]
    lines = [json.dumps(asdict(sample)) + "\n" for sample in samples]
    file = tmp_path / "samples.jsonl"
    file.write_text("".join(lines) + lines[-1][:20], encoding="utf-8")

    assert read_samples(file) == samples
    assert growth_an_hour(read_samples(file), "resident_mib") == pytest.approx(2.0)


def test_two_in_a_hundred_records_are_a_tombstone_and_one_that_cannot_be_read() -> None:
    values = [record_value(number, "good morning") for number in range(100)]

    assert values.count(None) == 1
    broken = [value for value in values if value is not None and not value.endswith(b"}")]
    assert len(broken) == 1
