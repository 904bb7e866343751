"""The model's threads, seen from the poll thread."""

import signal
import threading
import time
from types import FrameType

from testkit.in_memory import SilentObserver
from testkit.keyword_classifier import KeywordClassifier
from worker.stream.batching import BatchLimits
from worker.stream.model_threads import ModelThreads

WAIT_SECONDS = 0.3
HANDLER_SECONDS = 0.6
RESCUE_SECONDS = 30.0


def test_the_model_runs_on_a_thread_that_the_end_of_the_process_looks_for() -> None:
    before = threading.enumerate()
    scorer = ModelThreads(KeywordClassifier(), BatchLimits(10, 1000, 0), time.monotonic, SilentObserver())
    scorer.start()
    begun = [thread for thread in threading.enumerate() if thread not in before]
    assert "inference" in {thread.name for thread in begun}
    assert all(thread.daemon for thread in begun)
    scorer.stop()
    assert not [thread for thread in threading.enumerate() if thread not in before]


def test_a_signal_whose_handler_outlasts_the_wait_for_a_batch_does_not_make_it_endless() -> None:
    scorer = ModelThreads(KeywordClassifier(), BatchLimits(10, 1000, 0), time.monotonic, SilentObserver())

    def outlast(_number: int, _frame: FrameType | None) -> None:
        time.sleep(HANDLER_SECONDS)

    main = threading.main_thread().ident
    assert main is not None
    before = signal.signal(signal.SIGUSR1, outlast)
    interrupt = threading.Timer(WAIT_SECONDS / 3, signal.pthread_kill, (main, signal.SIGUSR1))
    rescue = threading.Timer(RESCUE_SECONDS, scorer._finished.put, (AssertionError("the wait did not end"),))
    rescue.daemon = True
    try:
        interrupt.start()
        rescue.start()
        assert scorer.finished(WAIT_SECONDS) == []
    finally:
        rescue.cancel()
        interrupt.join()
        signal.signal(signal.SIGUSR1, before)
