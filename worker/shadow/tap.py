"""Where the shadow takes comments from the stream: as their label events are acknowledged."""

from collections.abc import Callable, Sequence

from worker.facts import DeliveryFacts
from worker.protocols import Publisher
from worker.shadow.sampled import Incumbent, Sampled, sampled
from worker.shadow.sampling import Sampling
from worker.types import Batch, Labelled, Settled


class TappedPublisher:
    """A `Publisher` that passes everything on, and offers a sample of what was acknowledged.

    So what is compared are label events that exist: no tombstone, no dead letter, nothing of a partition that was
    lost. An event is out by then, and can neither wait for a comparison nor be changed by it.

    Args:
        publisher: Publishes.
        sampling: Chooses.
        incumbent: Names the model in use.
        offer: Receives what was chosen; never waits.
    """

    def __init__(
        self,
        publisher: Publisher,
        sampling: Sampling,
        incumbent: Incumbent,
        offer: Callable[[Sequence[Sampled]], None],
    ) -> None:
        self._publisher = publisher
        self._sampling = sampling
        self._incumbent = incumbent
        self._offer = offer

    @property
    def pending(self) -> int:
        """As `Publisher.pending`."""
        return self._publisher.pending

    def publish(self, batch: Batch) -> None:
        """As `Publisher.publish`."""
        self._publisher.publish(batch)

    def settle(self, timeout_seconds: float) -> list[Settled]:
        """As `Publisher.settle`."""
        settled = self._publisher.settle(timeout_seconds)
        if settled:
            incumbent, chooses = self._incumbent.now(), self._sampling.chooses
            chosen = [
                sampled(outcome, incumbent)
                for one in settled
                for outcome in one.outcomes
                if isinstance(outcome, Labelled) and chooses(outcome)
            ]
            if chosen:
                self._offer(chosen)
        return settled

    def facts(self) -> DeliveryFacts:
        """As `Publisher.facts`."""
        return self._publisher.facts()

    def close(self) -> None:
        """As `Publisher.close`."""
        self._publisher.close()
