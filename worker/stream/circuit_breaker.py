"""Stops a worker that rejects too much: a broken deploy must not drain a topic into the dead letters.

Both limits are arroyo's (`DlqLimit`): a run of rejections, and a share of the records looked back on.
"""

from collections import deque

from worker.errors import BreakerOpen
from worker.settings import DeadLetterSettings
from worker.types import Batch, Rejected, Skipped


class Breaker:
    """Counts rejections of whole batches, before they are published."""

    def __init__(self, settings: DeadLetterSettings) -> None:
        self._settings = settings
        self._run = 0
        self._seen: deque[tuple[int, int]] = deque()
        self._records = 0
        self._rejected = 0

    def check(self, batch: Batch) -> None:
        """Count a batch.

        Raises:
            BreakerOpen: A limit is passed. The batch must be neither published nor committed.
        """
        records = rejected = 0
        for outcome in batch.outcomes:
            kind = type(outcome)
            if kind is Skipped:
                continue
            records += 1
            if kind is Rejected:
                rejected += 1
                self._run += 1
                if self._run >= self._settings.max_run:
                    self._open(f"{self._run} records in a row were rejected (dead_letters.max_run)", batch)
            else:
                self._run = 0
        self._look_back(records, rejected, batch)

    def _look_back(self, records: int, rejected: int, batch: Batch) -> None:
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
            self._open(f"{share}, more than the share dead_letters.max_share = {self._settings.max_share:g}", batch)

    def _open(self, what: str, batch: Batch) -> None:
        errors = sorted({f"{o.stage}/{o.error}" for o in batch.outcomes if type(o) is Rejected})
        message = (
            f"{what}: the circuit breaker stopped the worker and did not commit this batch. Reasons in it: "
            f"{', '.join(errors)}. Look at them with `sluice dead-letters show`, mend the producer or the deployment, "
            "then start again; raise the limits only if such records are to be expected"
        )
        raise BreakerOpen(message)
