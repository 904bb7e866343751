"""The seams of the worker: what the loop asks of Kafka, of the model and of time.

`worker.stream.loop` knows only these. `worker.kafka` and `worker.classifier` implement them without knowing each other.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from worker.facts import DeliveryFacts, GroupFacts, ModelFacts
from worker.types import (
    Assignment,
    Batch,
    Classification,
    Decoded,
    ModelIdentity,
    Outcome,
    Outgoing,
    Record,
    Settled,
    Unscorable,
)
from worker.verdicts import ThresholdSet

Clock = Callable[[], float]
"""Seconds on a clock that never goes back (`time.monotonic`)."""

WallClock = Callable[[], float]
"""Seconds since the epoch (`time.time`): for timestamps in events, never for durations."""


class Encoded(Protocol):
    """A tokenized text: its windows of token ids and their count."""

    @property
    def tokens(self) -> int:
        """Tokens the model will compute over all windows, special tokens included."""


E = TypeVar("E", bound=Encoded)


class Classifier(Protocol[E]):
    """A multi-label model. `encode` may run on one thread while `score` runs on others, on up to `lanes` at once."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels, in the model's order."""

    @property
    def identity(self) -> ModelIdentity:
        """What computes the scores."""

    @property
    def thresholds(self) -> ThresholdSet:
        """Which scores become labels."""

    @property
    def view(self) -> str | None:
        """Name and version of the second reading that texts are scored in; None when there is none."""

    @property
    def pass_tokens(self) -> int:
        """Tokens computed at once: a batch should hold a few times as many, and no more."""

    @property
    def lanes(self) -> int:
        """How many batches are scored side by side: more than one where a batch does not take the whole machine."""

    def encode(self, texts: Sequence[str]) -> list[E]:
        """Tokenize; one result per text, in order.

        Raises:
            Exception: One of the texts cannot be tokenized; the others may be.
            SluiceError: The tokenizer is broken; no text is at fault.
        """

    def score(self, encoded: Sequence[E]) -> list[Classification | Unscorable]:
        """Forward pass and sigmoid; one result per text, in order.

        Raises:
            Poison: The batch cannot be scored as it is; smaller parts of it may be. Its message goes into dead letters
                and must not quote a text; its cause gives the kind of fault.
            SluiceError: The model or its device is broken; nothing can be scored.
        """

    def facts(self) -> ModelFacts:
        """What it has counted so far. May be asked on any thread."""


class ScoringObserver(Protocol):
    """Notified of each batch, by its number, on the inference thread that scores it, for health and metrics."""

    def scoring_started(self, batch: int, texts: int) -> None:
        """A batch enters the model."""

    def scoring_finished(self, batch: int, texts: int, tokens: int, seconds: float) -> None:
        """The batch has left the model; its texts held so many tokens."""


class LoopObserver(Protocol):
    """Hears from the loop, on the poll thread, what it does, for health and metrics. Called once per batch at most."""

    def consumed(self, polled: Sequence[tuple[Record, Assignment]]) -> None:
        """These records were polled."""

    def published(self, batch: Batch) -> None:
        """A batch's outcomes are on their way."""

    def settled(self, settled: Settled) -> None:
        """A batch's outcomes are acknowledged and its offsets handed to the group."""

    def turned(self, records: int, value_bytes: int) -> None:
        """The loop has turned once; so many records, and bytes of their values, are polled but not yet settled."""

    def paused(self, now: bool) -> None:
        """Partitions were paused or resumed."""

    def rebalanced(self, event: str, assignments: Sequence[Assignment], drain_seconds: float) -> None:
        """`assign`, `revoke` or `lost` was served."""

    def phase(self, name: str, seconds: float) -> None:
        """The loop spent so long in `poll`, `decode`, `publish` or `settle`."""

    def draining(self) -> None:
        """No more is polled; what is in flight is being finished."""


class RebalanceListener(Protocol):
    """Notified of changes of ownership, inside `Source.poll`, while the old owner may still commit."""

    def on_assigned(self, assignments: Sequence[Assignment]) -> None:
        """These partitions are now read, each under a new assignment."""

    def on_revoked(self, assignments: Sequence[Assignment]) -> None:
        """These are about to be given away: finish and commit what is in flight within the deadline."""

    def on_lost(self, assignments: Sequence[Assignment]) -> None:
        """These already belong to others (`owned` is False): drop, commit nothing."""


class Source(Protocol):
    """Where records come from: a member of a consumer group. Used by one thread only."""

    def subscribe(self, listener: RebalanceListener) -> None:
        """Join the group."""

    def poll(self, limit: int, timeout_seconds: float) -> list[tuple[Record, Assignment]]:
        """At most `limit` records, as soon as there are any, in order within each partition.

        Serves rebalances; raises NoBroker when no broker answered for too long, Fatal when the consumer is broken.
        """

    def commit(self, offsets: Mapping[Assignment, int]) -> None:
        """Begin to commit next offsets of the assignments still owned; the others are left out.

        Later polls serve the broker's answer, and the next commit retries after a transient failure.

        Raises:
            Fatal: No later commit can succeed.
        """

    def flush_commits(self, timeout_seconds: float) -> bool:
        """Wait until the broker has answered for every offset given to `commit`; False when the time ran out.

        A group that is being rebalanced answers too: what it does not take, nor a second later, the next owner reads
        again.

        Raises:
            Fatal: No later commit can succeed.
        """

    def facts(self) -> GroupFacts:
        """What it knows of its group now."""

    def pause(self) -> None:
        """Stop fetching from every assigned partition; `poll` still serves the group."""

    def resume(self) -> None:
        """Undo `pause`."""

    def close(self) -> None:
        """Leave the group. Never raises; safe to call twice."""


class RecordDecoder(Protocol):
    """From a record to a comment. Used by the source's thread."""

    def decode(self, record: Record, assignment: Assignment) -> Decoded:
        """A `Comment`, `Rejected` or `Skipped` for one record and the assignment it was polled under.

        Raises:
            Retryable: It can't be said yet: what the format needs does not answer.
            SluiceError: It won't answer.
        """


class RejectionLimit(Protocol):
    """Asked by a publisher about outcomes as they will be delivered, in order of consumption, before their commit."""

    def check(self, outcomes: Sequence[Outcome]) -> None:
        """Check, without counting them.

        Raises:
            BreakerOpen: With these, too many records would be rejected: nothing of them may be committed.
        """

    def admit(self, outcomes: Sequence[Outcome]) -> None:
        """Count them.

        Raises:
            BreakerOpen: As `check`.
        """


class Publisher(Protocol):
    """Delivers batches in order, and then commits their offsets. Used by the source's thread."""

    @property
    def pending(self) -> int:
        """Batches published but not yet settled."""

    def publish(self, batch: Batch) -> None:
        """Begin to deliver every outcome of an assignment that is still owned."""

    def settle(self, timeout_seconds: float) -> list[Settled]:
        """Serve delivery reports; return batches whose outcomes are acknowledged and whose commit has begun.

        A label event that its topic refuses is delivered as a dead letter instead.

        Raises:
            Fatal: An outcome cannot be delivered; its batch stays uncommitted.
            BreakerOpen: Too many events were refused. None of the rejections past the limit is committed.
        """

    def facts(self) -> DeliveryFacts:
        """What it has counted so far."""

    def close(self) -> None:
        """Abandon what is not delivered and release the producer. Never raises; safe to call twice."""


Encode = Callable[[Outcome], Outgoing | None]
"""Turns an outcome into the record to produce; None for one that publishes nothing."""
