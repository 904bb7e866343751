"""A client that is replaced after a failure is destroyed at once: nothing that tells of the failure keeps it alive.

An error's traceback refers to the frames it passed, and they to what they called. Such a cycle would wait for the
garbage collector, which a worker asks seldom.
"""

import gc
import weakref
from collections.abc import Iterator
from concurrent.futures import Future

import pytest
from confluent_kafka import KafkaError, KafkaException

from testkit.clock import FakeClock
from worker.kafka.client.log_queries import ANSWER_SECONDS, Answer
from worker.kafka.delivery.background_call import BackgroundCall


class Client:
    def commit(self) -> None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    def give_up(self) -> None:
        self.given_up = True


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def test_a_call_in_the_background_that_fails_releases_its_client() -> None:
    client = Client()
    alive = weakref.ref(client)
    call = BackgroundCall(client.commit)
    with pytest.raises(KafkaException):
        call.ended(30)
    del client
    assert alive() is not None, "the call could be looked at again"
    del call
    assert alive() is None


@pytest.mark.parametrize("is_answered", [True, False])
def test_a_query_that_times_out_releases_its_client(is_answered: bool) -> None:
    client, clock = Client(), FakeClock()
    alive = weakref.ref(client)
    future: Future[None] = Future()
    answer = Answer(future, clock, client.give_up)
    if is_answered:
        future.set_exception(KafkaException(KafkaError(KafkaError._TIMED_OUT)))
    else:
        clock.advance(ANSWER_SECONDS)
    with pytest.raises(KafkaException):
        answer.result()
    assert client.given_up
    del client
    assert alive() is None
