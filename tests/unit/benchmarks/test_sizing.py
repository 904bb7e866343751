"""From what one worker does to what a topic needs."""

from benchmarks.sizing import needs


def test_workers_have_a_quarter_to_spare_and_partitions_room_for_a_peak_of_twice_the_rate() -> None:
    assert needs(worker_rate=200, wanted_rate=500, wait_seconds=10) == (4, 12, 2000)


def test_one_worker_is_the_least_and_very_many_are_not_refused() -> None:
    assert needs(200, 1, 10).workers == 1
    assert needs(200, 1, 10).partitions == 6
    assert needs(1, 1000, 10).partitions == 2500


def test_a_slow_worker_still_has_a_threshold() -> None:
    assert needs(0.01, 1, 1).lag_threshold == 1


def test_what_is_printed_names_each_number_as_it_is_set() -> None:
    assert str(needs(200, 500, 10)) == "workers 4, partitions 12, lagThreshold 2000"
