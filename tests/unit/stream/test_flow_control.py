"""Backpressure: how much may be polled, and when partitions are paused."""

from worker.settings import BatchSettings, DeliverySettings
from worker.stream.flow_control import FlowControl

TURN_SECONDS = 0.002


def behind(flow: FlowControl, since: float, seconds: float) -> tuple[int, int]:
    """Turns of the loop while the model stays full: how many pauses and resumes they bring."""
    pauses = resumes = 0
    for turn in range(int(seconds / TURN_SECONDS)):
        now = since + turn * TURN_SECONDS
        flow.look(now, model_is_full=True)
        assert flow.room == 0
        if flow.should_pause:
            pauses += 1
            flow.pause()
        resumes += flow.may_resume(model_is_full=True)
    return pauses, resumes


def test_a_model_that_stays_behind_pauses_the_partitions_once_and_they_resume_when_it_takes_more() -> None:
    flow = FlowControl(DeliverySettings(pause_after_seconds=5), BatchSettings(max_records=4))
    flow.acquire(4, 400)
    assert behind(flow, 0, seconds=60) == (1, 0)
    assert flow.may_resume(model_is_full=False)
    flow.resume()
    assert behind(flow, 60, seconds=4) == (0, 0), "the seconds count from the resume"
    assert behind(flow, 64, seconds=2) == (1, 0)


def test_nothing_resumes_while_more_than_half_of_the_bounds_is_in_flight() -> None:
    flow = FlowControl(DeliverySettings(max_in_flight_records=8, pause_after_seconds=1), BatchSettings(max_records=4))
    flow.acquire(5, 500)
    assert behind(flow, 0, seconds=2) == (1, 0)
    assert not flow.may_resume(model_is_full=False)
    flow.release(1, 100)
    assert flow.may_resume(model_is_full=False)


def test_questions_change_nothing() -> None:
    flow = FlowControl(DeliverySettings(pause_after_seconds=1), BatchSettings(max_records=4))
    for now in (0.0, 2.0):
        flow.look(now, model_is_full=True)
    assert [(flow.room, flow.should_pause, flow.may_resume(model_is_full=False)) for _ in range(3)] == [
        (0, True, False)
    ] * 3
