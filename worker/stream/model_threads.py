"""Scores comments off the poll thread: one thread tokenizes, a lane or more run the model, partitions keep their order.

    submit -> [tokenizer thread: encode] -> Batcher -> [a lane: score] -> PartitionOrder -> finished

Tokenizing and torch release the interpreter lock, so while a batch is in the model, the next one is tokenized and the
poll thread reads, publishes and commits. Lanes pull: one that is free takes its share of whatever is ready, so nobody
waits while there is work, and a short comment passes a long one that another lane computes.
"""

import threading
from collections.abc import Callable, Sequence
from queue import Empty, Queue, SimpleQueue
from typing import Generic, TypeVar

from worker.named_tuples import maker
from worker.protocols import Classifier, Clock, Encoded, ScoringObserver
from worker.stream.batching import Batcher, BatchLimits
from worker.stream.isolation import encode_isolating, score_isolating
from worker.stream.partition_order import PartitionOrder
from worker.types import Batch, Comment, Decoded, Labelled, Outcome, Rejected, Stage, Unscorable, next_offsets

E = TypeVar("E", bound=Encoded)

_STOP_SECONDS = 5.0

_labelled = maker(Labelled)


class ModelThreads(Generic[E]):
    """Owns the threads. `submit`, `finished` and `stop` belong to the poll thread.

    Args:
        classifier: The model.
        limits: What a batch may hold.
        clock: Monotonic seconds.
        observer: Told of each batch's start and end, on the inference thread that scores it.
    """

    def __init__(self, classifier: Classifier[E], limits: BatchLimits, clock: Clock, observer: ScoringObserver) -> None:
        self._classifier = classifier
        self._clock = clock
        self._observer = observer
        self._submitted: SimpleQueue[Sequence[Decoded] | None] = SimpleQueue()
        self._batcher: Batcher[tuple[Decoded, E | None]] = Batcher(limits)
        self._order = PartitionOrder()
        self._scoring = 0
        self._changed = threading.Condition()
        self._stopping = False
        # Not a SimpleQueue: its `get` waits for ever if a signal handler outlasts the timeout (CPython's
        # `_queue.SimpleQueue.get` continues with the time left, which is negative by then and means no limit), and a
        # worker asked to stop at that moment would never end.
        self._finished: Queue[Batch | BaseException] = Queue()
        self._threads: list[threading.Thread] = []
        self._in_flight = 0

    def start(self) -> None:
        """Start the threads."""
        self._begin("tokenizer", self._encode_until_stopped)
        self._begin_lanes()

    @property
    def in_flight(self) -> int:
        """Records submitted whose batch has not come back by `finished`."""
        return self._in_flight

    @property
    def has_full_batch(self) -> bool:
        """True while a batch that needs no more records waits for the model."""
        with self._changed:
            return self._batcher.is_full

    def submit(self, items: Sequence[Decoded]) -> None:
        """Hand over decoded records, in order of consumption."""
        self._begin_lanes()
        self._in_flight += len(items)
        self._submitted.put(items)

    def finished(self, timeout_seconds: float = 0.0) -> list[Batch]:
        """Batches scored since the last call, in order for each partition; waits up to the timeout for the first.

        Raises:
            BaseException: Whatever ended a thread; nothing of its batch was published.
        """
        batches: list[Batch] = []
        try:
            result = self._finished.get(timeout_seconds > 0, timeout_seconds or None)
            while True:
                if isinstance(result, BaseException):
                    raise result
                self._in_flight -= result.records
                batches.append(result)
                result = self._finished.get_nowait()
        except Empty:
            return batches

    def stop(self) -> None:
        """End the threads; what is in the model is not waited for beyond a few seconds."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._submitted.put(None)
        deadline = self._clock() + _STOP_SECONDS
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - self._clock()))

    def _begin_lanes(self) -> None:
        """Begin the lanes that are missing: another model may have more than the one before."""
        for lane in range(len(self._threads) - 1, self._classifier.lanes):
            self._begin(f"inference-{lane}", self._score_until_stopped)

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=self._guard, args=(work,), name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._finished.put(error)

    def _encode_until_stopped(self) -> None:
        while (items := self._submitted.get()) is not None:
            texts = [item.text for item in items if isinstance(item, Comment)]
            encoded = iter(encode_isolating(self._classifier, texts))
            ready: list[tuple[tuple[Decoded, E | None], int]] = []
            for item in items:
                one = next(encoded) if isinstance(item, Comment) else None
                if isinstance(one, Unscorable):
                    failed = Rejected(item.record, item.assignment, Stage.TOKENIZE, one.error, one.reason)
                    ready.append(((failed, None), 0))
                else:
                    ready.append(((item, one), one.tokens if one else 0))
            with self._changed:
                self._batcher.add(ready, self._clock())
                self._changed.notify(len(ready))  # no more lanes than there can be batches

    def _score_until_stopped(self) -> None:
        while (taken := self._take()) is not None:
            batch = self._score(*taken)
            with self._changed:
                self._scoring -= 1
                for one in self._order.scored(batch):
                    self._finished.put(one)

    def _take(self) -> tuple[int, list[tuple[Decoded, E | None]]] | None:
        """Wait until a batch is ready for a lane and take it, with its number; None when stopping."""
        with self._changed:
            while not self._stopping:
                lanes = self._classifier.lanes  # another model may have fewer
                wait_seconds = self._batcher.ready_in(self._clock()) if self._scoring < lanes else None
                if wait_seconds == 0:
                    self._scoring += 1
                    work = self._batcher.take(lanes)
                    return self._order.taken({item.assignment for item, _ in work}), work
                self._changed.wait(wait_seconds)
        return None

    def _score(self, number: int, work: list[tuple[Decoded, E | None]]) -> Batch:
        """Outcomes of one batch; records of partitions given away meanwhile are dropped, unscored."""
        owned = [pair for pair in work if pair[0].assignment.owned]
        encoded = [one for _, one in owned if one is not None]
        tokens = sum(one.tokens for one in encoded)
        started = self._clock()
        self._observer.scoring_started(number, len(encoded))
        results = iter(score_isolating(self._classifier, encoded))
        self._observer.scoring_finished(number, len(encoded), tokens, self._clock() - started)
        outcomes: list[Outcome] = []
        for item, _ in owned:
            if not isinstance(item, Comment):
                outcomes.append(item)
                continue
            record, assignment, comment_id, text, id_source, document = item
            result = next(results)
            if isinstance(result, Unscorable):
                outcomes.append(Rejected(record, assignment, Stage.INFERENCE, result.error, result.reason))
            else:
                outcomes.append(_labelled((record, assignment, comment_id, text, result, id_source, document)))
        value_bytes = sum(len(item.record.value() or b"") for item, _ in work)
        return Batch(outcomes, next_offsets(outcomes), len(work), value_bytes, number)
