"""Stops a worker that rejects too much: a broken deploy must not drain a topic into the dead letters.

Both limits are arroyo's (`DlqLimit`): a run of rejections, and a share of the records looked back on.

A record may be rejected at two moments: before it is published (it cannot be read or scored), and after (its topic
refuses the event). So a worker has two breakers with the same limits. The loop's counts what is about to be published;
a batch that opens it is not published. The publisher's counts what has been delivered, in order and just before the
commit; a batch that opens it is not committed, and no dead letter of an event that was refused is sent for it.

What can be past the limit when a worker stops: nothing that is committed, and with exactly-once nothing that is
visible. With at-least-once the batches behind, at most `delivery.max_in_flight_records`, may have published their
events and those dead letters that the first breaker let pass; they are read again.
"""

from collections import deque
from collections.abc import Sequence

from worker.errors import BreakerOpen
from worker.settings import DeadLetterSettings
from worker.types import Outcome, Rejected, Skipped


class Breaker:
    """Counts rejections; implements `worker.protocols.RejectionLimit`."""

    def __init__(self, settings: DeadLetterSettings) -> None:
        self._settings = settings
        self._run = 0
        self._seen: deque[tuple[int, int]] = deque()
        self._records = 0
        self._rejected = 0

    def check(self, outcomes: Sequence[Outcome]) -> None:
        """Check, without counting them.

        Raises:
            BreakerOpen: Counting these would pass a limit.
        """
        trial = Breaker(self._settings)
        trial._run, trial._records, trial._rejected = self._run, self._records, self._rejected
        trial._seen.extend(self._seen)
        trial.admit(outcomes)

    def admit(self, outcomes: Sequence[Outcome]) -> None:
        """Count the outcomes of a batch.

        Raises:
            BreakerOpen: A limit is passed.
        """
        kinds = set(map(type, outcomes))
        if Rejected not in kinds:  # nearly every batch, in half the time of the loop below
            records = sum(type(outcome) is not Skipped for outcome in outcomes) if Skipped in kinds else len(outcomes)
            self._run = 0 if records else self._run
            self._look_back(records, 0, outcomes)
            return
        records = rejected = 0
        for outcome in outcomes:
            kind = type(outcome)
            if kind is Skipped:
                continue
            records += 1
            if kind is Rejected:
                rejected += 1
                self._run += 1
                if self._run >= self._settings.max_run:
                    self._open(f"{self._run} records in a row were rejected (dead_letters.max_run)", outcomes)
            else:
                self._run = 0
        self._look_back(records, rejected, outcomes)

    def _look_back(self, records: int, rejected: int, outcomes: Sequence[Outcome]) -> None:
        window = self._settings.window_records
        self._seen.append((records, rejected))
        self._records += records
        self._rejected += rejected
        while self._records - self._seen[0][0] >= window:
            oldest_records, oldest_rejected = self._seen.popleft()
            self._records -= oldest_records
            self._rejected -= oldest_rejected
        if self._records >= window and self._rejected > self._settings.max_share * self._records:
            share = f"{self._rejected} of the last {self._records} records were rejected"
            self._open(f"{share}, more than the share dead_letters.max_share = {self._settings.max_share:g}", outcomes)

    def _open(self, what: str, outcomes: Sequence[Outcome]) -> None:
        reasons = {f"{o.stage}/{o.error}": o.reason for o in outcomes if type(o) is Rejected}
        message = (
            f"{what}: the circuit breaker stopped the worker and did not commit this batch. Reasons in it: "
            f"{'; '.join(f'{error} ({reasons[error]})' for error in sorted(reasons))}. Look at dead letters of that "
            "kind with `sluice dead-letters show`, fix the producer, the topic or the deployment, then start again; "
            "raise the limits only if such records are to be expected"
        )
        raise BreakerOpen(message)
