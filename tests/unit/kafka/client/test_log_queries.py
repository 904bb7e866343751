"""A query that no broker ever answers is given up, and the next one is asked with another client."""

from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from testkit.clock import FakeClock
from worker.kafka.client.log_queries import ANSWER_SECONDS, Answer, LogQueries
from worker.kafka.consumer.topic_watch import BETWEEN_LOOKS_SECONDS
from worker.kafka.consumer.topic_watches import TopicWatches
from worker.settings import Settings

NOBODY = "127.0.0.1:1"


def test_an_answer_is_returned_as_the_broker_gave_it() -> None:
    future: Future[Any] = Future()
    answer = Answer(future, FakeClock())
    assert not answer.done()
    future.set_result("described")
    assert answer.done()
    assert answer.result() == "described"


def test_an_answer_that_never_comes_is_a_timeout_of_kafka_once_its_deadline_has_passed() -> None:
    clock, given_up = FakeClock(), []
    answer = Answer(Future(), clock, lambda: given_up.append(1))
    clock.advance(ANSWER_SECONDS - 0.1)
    assert not answer.done()
    clock.advance(0.1)
    assert answer.done()
    with pytest.raises(KafkaException) as caught:
        answer.result()
    assert caught.value.args[0].code() == KafkaError._TIMED_OUT
    assert answer.done()
    assert given_up == [1]


def test_an_answer_that_came_before_anyone_looked_is_not_given_up() -> None:
    clock, given_up = FakeClock(), []
    future: Future[Any] = Future()
    answer = Answer(future, clock, lambda: given_up.append(1))
    future.set_result("late")
    clock.advance(2 * ANSWER_SECONDS)
    assert answer.result() == "late"
    assert not given_up


@pytest.mark.parametrize(("code", "replaced"), [(KafkaError._TIMED_OUT, True), (KafkaError.UNKNOWN_TOPIC_ID, False)])
def test_a_client_whose_request_timed_out_is_replaced(code: int, *, replaced: bool) -> None:
    given_up = []
    future: Future[Any] = Future()
    answer = Answer(future, FakeClock(), lambda: given_up.append(1))
    future.set_exception(KafkaException(KafkaError(code)))
    assert answer.done()
    assert answer.done()
    assert len(given_up) == replaced


def test_a_client_whose_query_was_given_up_is_replaced_once() -> None:
    clock = FakeClock()
    queries = LogQueries(Settings(kafka={"bootstrap_servers": NOBODY}), clock)
    first = queries._admin
    answers = [*queries.describe(["comments", "others"]).values()]
    for answer in answers:
        answer._future = Future()  # what librdkafka leaves when the broker has left the cluster
    clock.advance(ANSWER_SECONDS)
    assert answers[0].done()
    second = queries._admin
    assert second is not first
    assert answers[1].done()
    assert queries._admin is second


class Silent:
    """A broker that answers nothing."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.asked = 0

    def describe(self, topics: Iterable[str]) -> dict[str, Answer]:
        self.asked += 1
        return {topic: Answer(Future(), self.clock) for topic in topics}


def test_a_watched_topic_is_asked_for_again_after_a_query_that_nobody_answered() -> None:
    clock = FakeClock()
    broker: Any = Silent(clock)
    watch = TopicWatches(["comments"], broker, clock)
    watch.look()
    clock.advance(BETWEEN_LOOKS_SECONDS)
    watch.look()
    assert broker.asked == 1
    clock.advance(ANSWER_SECONDS)
    watch.look()
    assert broker.asked == 2
