import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.events.trace_context import trace_headers

PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
STATE = b"congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"


def test_a_trace_is_passed_on_unchanged() -> None:
    headers = [("x", b"1"), ("traceparent", PARENT), ("tracestate", STATE)]
    assert trace_headers(headers) == [("traceparent", PARENT), ("tracestate", STATE)]


def test_without_headers_there_is_no_trace() -> None:
    assert trace_headers(None) == []
    assert trace_headers([]) == []
    assert trace_headers([("x", None)]) == []


def test_the_last_of_duplicates_counts_whatever_the_case() -> None:
    headers = [("traceparent", PARENT), ("TraceParent", OTHER), ("tracestate", b"a=1"), ("TRACESTATE", b"b=2")]
    assert trace_headers(headers) == [("traceparent", OTHER), ("tracestate", b"b=2")]


def test_a_cloudevents_own_trace_is_passed_on_where_the_record_has_none() -> None:
    event = [("ce_traceparent", PARENT), ("ce_tracestate", STATE)]
    assert trace_headers(event) == [("traceparent", PARENT), ("tracestate", STATE)]
    assert trace_headers([*event, ("traceparent", OTHER)]) == [("traceparent", OTHER)], "the last hop goes first"
    assert trace_headers([("ce_tracestate", STATE)]) == []


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"00",
        PARENT.upper(),
        PARENT + b"\n",
        PARENT + b"-more",
        b"ff" + PARENT[2:],
        b"00-" + b"0" * 32 + b"-b7ad6b7169203331-01",
        b"00-0af7651916cd43dd8448eb211c80319c-" + b"0" * 16 + b"-01",
        PARENT[:-1],
    ],
)
def test_an_invalid_traceparent_is_dropped_with_its_tracestate(value: bytes | None) -> None:
    assert trace_headers([("traceparent", value), ("tracestate", STATE)]) == []


def test_a_later_version_may_carry_more() -> None:
    later = b"cc" + PARENT[2:] + b"-what the future holds"
    assert trace_headers([("traceparent", later)]) == [("traceparent", later)]


@pytest.mark.parametrize(
    "state", [None, b"", b" , ", b"no-equals", b"A=1", b"a=1,a=2", b"a=1\n", b",".join(b"k%d=1" % n for n in range(33))]
)
def test_an_invalid_tracestate_is_dropped_alone(state: bytes | None) -> None:
    assert trace_headers([("traceparent", PARENT), ("tracestate", state)]) == [("traceparent", PARENT)]


@pytest.mark.parametrize(
    "state", [b"a=1", b"a=1 , ,b=2", b"tenant@vendor=x", b",".join(b"k%d=1" % n for n in range(32))]
)
def test_a_valid_tracestate_is_kept_as_it_is(state: bytes) -> None:
    assert trace_headers([("traceparent", PARENT), ("tracestate", state)])[1] == ("tracestate", state)


@given(st.lists(st.tuples(st.sampled_from(["traceparent", "tracestate", "Other"]), st.none() | st.binary(max_size=80))))
def test_output_is_valid_or_empty_for_any_input(headers: list[tuple[str, bytes | None]]) -> None:
    passed = trace_headers(headers)
    assert trace_headers(passed) == passed
    assert {name for name, _ in passed} <= {"traceparent", "tracestate"}
