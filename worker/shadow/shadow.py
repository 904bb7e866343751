"""The shadow: takes sampled comments from the worker, has the candidate score them, and compares.

    settled -> [Sampling] -> Waiting -> [shadow thread: candidate.score -> compare -> count]

Nobody waits for it. The poll thread leaves comments in a bounded queue, or counts them as missed. The candidate
computes in a process of its own, while the worker has nothing to do or within a stated share of one core. Whatever
happens to it is logged and counted here, and ends here.
"""

import logging
import threading
from collections.abc import Callable, Sequence

from worker.observability.shadow_metrics import ShadowMetrics
from worker.shadow.allowance import Allowance
from worker.shadow.candidate import Candidate, CandidateEnded, CandidateRefused
from worker.shadow.comparison import compare
from worker.shadow.counting import ExamplesOutlet, Tally
from worker.shadow.sampled import Sampled, Scorer
from worker.shadow.waiting import Waiting
from worker.types import Unscorable

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.02
"""How often a busy worker is looked at, to see whether it has become idle."""

_SERVE_SECONDS = 1.0
"""How often it is looked, while nothing waits, at what became of the examples."""

_FIRST_RESTART_SECONDS = 60.0
_LAST_RESTART_SECONDS = 3600.0


class Shadow:
    """Owns the shadow's thread and the candidate.

    Args:
        start: Starts a candidate.
        waiting: What it compares.
        allowance: When it may compute.
        busy: Whether the worker has work now; asked from the shadow's thread.
        incumbent: The model in use now; asked from the shadow's thread.
        tally: Makes what counts the comparisons with a candidate.
        metrics: Where it counts what it could not compare.
        examples: Where the tally leaves examples; None where none are published.
        restart_seconds: How long it waits before it starts a candidate again that has crashed; twice as long each time.
    """

    def __init__(
        self,
        start: Callable[[], Candidate],
        waiting: Waiting,
        allowance: Allowance,
        busy: Callable[[], bool],
        incumbent: Callable[[], Scorer],
        tally: Callable[[Scorer], Tally],
        metrics: ShadowMetrics,
        examples: ExamplesOutlet | None = None,
        restart_seconds: float = _FIRST_RESTART_SECONDS,
    ) -> None:
        self._start = start
        self._waiting = waiting
        self._allowance = allowance
        self._busy = busy
        self._incumbent = incumbent
        self._tally = tally
        self._metrics = metrics
        self._examples = examples
        self._restart_seconds = restart_seconds
        self._candidate: Candidate | None = None
        self._taken: Sequence[Sampled] = ()
        self._ready = False
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)

    def start(self) -> None:
        """Begin to load the candidate."""
        self._thread.start()

    def offer(self, sampled: Sequence[Sampled]) -> None:
        """Leave comments to be compared; never waits. Called on the poll thread."""
        self._metrics.sampled.inc(len(sampled))
        if not self._ready:
            self._metrics.missed.labels("absent").inc(len(sampled))
            return
        if left_out := self._waiting.add(sampled):
            self._metrics.missed.labels("absent" if self._waiting.closed else "behind").inc(left_out)
        self._metrics.waiting_records.set(len(self._waiting))

    def stop(self) -> None:
        """End at once; what waits is not compared."""
        self._waiting.close()
        candidate = self._candidate
        if candidate is not None:
            candidate.kill()

    def _run(self) -> None:
        """Compare until the worker stops, the candidate is refused, or there is nothing to compare it with."""
        try:
            while self._live_once():
                if not self._waiting.pause(self._restart_seconds):
                    return
                self._restart_seconds = min(2 * self._restart_seconds, _LAST_RESTART_SECONDS)
        except Exception:
            self._metrics.failures.labels("error").inc()
            log.exception("the shadow has ended; events go on as before")
        finally:
            self._is_up(False)
            self._forget()
            if self._examples is not None:
                self._examples.close()

    def _forget(self) -> None:
        """Keep no text and claim no comparison, now that there will be none; what was not compared is counted."""
        metrics = self._metrics
        if left := len(self._taken) + self._waiting.drain():
            metrics.missed.labels("absent").inc(left)
        self._taken = ()
        metrics.waiting_records.set(0)
        metrics.info.clear()

    def _live_once(self) -> bool:
        """The life of one candidate; whether another is to be started after it."""
        try:
            candidate = self._candidate = self._start()
        except (OSError, CandidateEnded) as error:
            return self._ended(f"could not be started: {error}")
        try:
            if self._waiting.closed:
                return False
            scorer = candidate.loaded()
            identity = scorer.identity
            log.info(
                "the candidate is loaded: %s (%s, %s, threshold set %s)",
                *(identity.id, identity.digest[:19], identity.precision, scorer.threshold_set),
            )
            self._is_up(True)
            return self._compare(candidate, scorer)
        except CandidateRefused as error:
            self._metrics.failures.labels("load").inc()
            log.error("the candidate cannot be loaded, and there is no shadow until the worker starts again: %s", error)  # noqa: TRY400 - it is no fault of the code
            return False
        except CandidateEnded as error:
            return self._ended(f"has ended ({error})")
        finally:
            self._is_up(False)
            candidate.close()

    def _ended(self, how: str) -> bool:
        if self._waiting.closed:
            return False
        self._metrics.failures.labels("crash").inc()
        log.warning("the candidate %s; it starts again in %g s", how, self._restart_seconds)
        return True

    def _compare(self, candidate: Candidate, scorer: Scorer) -> bool:
        tally, metrics = self._tally(scorer), self._metrics
        tally.describe(self._incumbent())
        while self._waiting.wait(_SERVE_SECONDS):
            if self._examples is not None:
                self._examples.serve()
            if not self._waiting:
                continue
            busy = self._busy()
            if not self._allowance.permits(busy=busy):
                self._waiting.pause(_LOOK_SECONDS)
                continue
            sampled = self._taken = self._waiting.take()
            metrics.waiting_records.set(len(self._waiting))
            if any(one.incumbent.scores_as(scorer) for one in sampled):
                log.warning("the candidate is the model in use: there is nothing to compare, and the shadow has ended")
                return False
            try:
                verdicts, cpu_seconds, memory_bytes = candidate.score([one.text for one in sampled])
            except CandidateEnded:
                metrics.missed.labels("crashed").inc(len(sampled))
                self._taken = ()
                raise
            self._allowance.spend(cpu_seconds, busy=busy)
            metrics.cpu_seconds.inc(cpu_seconds)
            metrics.memory_bytes.set(memory_bytes)
            pairs = zip(sampled, verdicts, strict=True)
            compared = [compare(one, found) for one, found in pairs if not isinstance(found, Unscorable)]
            if unscorable := len(sampled) - len(compared):
                metrics.missed.labels("unscorable").inc(unscorable)
            self._taken = [one.sampled for one in compared]
            tally.count(compared)
            self._taken = ()
        return False

    def _is_up(self, now: bool) -> None:
        self._ready = now
        self._metrics.up.set(now)
        self._metrics.memory_bytes.set(0)
