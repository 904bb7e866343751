"""Puts a shadow beside a worker, if the settings ask for one."""

from collections.abc import Callable
from typing import Any

from worker.observability.shadow_metrics import ShadowMetrics
from worker.protocols import Classifier, Clock, Publisher, WallClock
from worker.settings import Settings, candidate_model
from worker.shadow.allowance import Allowance
from worker.shadow.candidate import Candidate
from worker.shadow.counting import Tally
from worker.shadow.examples import Examples
from worker.shadow.sampled import Incumbent, Scorer
from worker.shadow.sampling import Sampling
from worker.shadow.shadow import Shadow
from worker.shadow.tap import TappedPublisher
from worker.shadow.waiting import Waiting


class Shadowing:
    """The shadow of one worker; where no candidate is named, nothing is started and nothing is in the way.

    Args:
        settings: The worker's settings.
        metrics: Where comparisons are counted.
        clock: Monotonic seconds.
        wall_clock: Seconds since the epoch, for examples.
    """

    def __init__(self, settings: Settings, metrics: ShadowMetrics, clock: Clock, wall_clock: WallClock) -> None:
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._wall_clock = wall_clock
        self._shadow: Shadow | None = None

    def publisher(self, publisher: Publisher, model: Classifier[Any], busy: Callable[[], bool]) -> Publisher:
        """The publisher, with a sample of what it delivers taken from it; and the candidate begins to load.

        Args:
            publisher: Publishes.
            model: The model in use, which may become another.
            busy: Whether the worker has work now; called from any thread.

        Raises:
            SettingsInvalid: Examples are asked for, and a property of `kafka.properties` is wrong.
        """
        settings = self._settings.shadow
        if settings.model.id is None:
            return publisher
        examples = self._examples()
        publish = examples.publish if examples else None
        shadow = self._shadow = Shadow(
            self._candidate,
            Waiting(settings.waiting_records),
            Allowance(settings.busy_share, self._clock),
            busy,
            lambda: Scorer.of(model),
            lambda candidate: Tally(self._metrics, candidate, settings.examples, publish),
            self._metrics,
            examples,
        )
        shadow.start()
        return TappedPublisher(publisher, Sampling(settings.sample), Incumbent(model), shadow.offer)

    def close(self) -> None:
        """End it at once, without waiting for a comparison. Never raises."""
        if self._shadow is not None:
            self._shadow.stop()

    def _candidate(self) -> Candidate:
        settings = self._settings
        shadow = settings.shadow
        return Candidate(
            candidate_model(settings.model, shadow.model), settings.log, shadow.labels, yielding=not shadow.busy_share
        )

    def _examples(self) -> Examples | None:
        topic = self._settings.shadow.examples_topic
        if topic is None:
            return None
        return Examples(
            self._settings, topic, self._wall_clock, lambda result: self._metrics.examples.labels(result).inc()
        )
