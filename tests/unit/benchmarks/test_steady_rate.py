import pytest

from benchmarks.steady_rate import Point, TooShort, measure


def batches(of: int, every_seconds: float, count: int, began_at: float = 1000.0) -> list[Point]:
    """A run that finishes `of` comments at once, `count` times."""
    return [(began_at + number * every_seconds, float(number * of)) for number in range(1, count + 1)]


def test_the_rate_does_not_depend_on_where_batches_end() -> None:
    for count in range(40, 60):
        assert measure({"comments": batches(80, 0.5, count)}).rate == pytest.approx(160)


def test_a_slow_beginning_and_a_slow_end_do_not_count() -> None:
    steady = batches(80, 0.5, 100)
    slowed = [(at - 60 if done <= 400 else at + 60 if done > 7800 else at, done) for at, done in steady]

    assert measure({"comments": slowed}).rate == pytest.approx(160)


def test_costs_are_for_one_comment_of_the_steady_part() -> None:
    comments = batches(80, 0.5, 100)
    begin, end = comments[0][0], comments[-1][0]
    cpu = [(begin, 50.0), *((begin + second, 50.0 + 1.6 * second) for second in range(2, 47)), (end, 900.0)]

    measured = measure({"comments": comments, "cpu_seconds": cpu, "model_seconds": [(at, 0.9 * at) for at, _ in cpu]})

    assert measured.cpu_milliseconds == pytest.approx(10)
    assert measured.model_share == pytest.approx(0.9)
    assert measured.broker_cpu_milliseconds == 0


def test_a_run_too_short_for_a_slope_is_refused() -> None:
    with pytest.raises(TooShort):
        measure({"comments": batches(80, 0.5, 1)})
