"""The look at the cluster beside the worker's start: reported in one block, and an exit where there is no doubt."""

import logging
from threading import Thread

from worker.errors import Fatal, SluiceError
from worker.findings import Finding, Severity
from worker.kafka.preflight import Preflight
from worker.settings import Settings

log = logging.getLogger(__name__)


class StartCheck:
    """Looks once, on a thread of its own: the worker does not wait for it, nor for a broker that does not answer.

    Args:
        settings: The worker's settings.

    Raises:
        SettingsInvalid: A property is refused.
    """

    def __init__(self, settings: Settings) -> None:
        self._preflight = Preflight(settings)
        self._fault: Fatal | None = None
        Thread(target=self._look, name="preflight", daemon=True).start()

    def raise_fault(self) -> None:
        """Raise if it was found that the worker can't do its work.

        Raises:
            Fatal: Rights are missing; the message names each and how to grant it.
        """
        if self._fault is not None:
            raise self._fault

    def _look(self) -> None:
        try:
            findings = self._preflight.look()
        except SluiceError:
            return  # the consumer meets the same, and ends the worker if that is right
        troubles = [finding for finding in findings if finding.severity is not Severity.OK]
        if not troubles:
            if findings:
                log.info("preflight: the topics, their limits and the rights of this principal are as needed")
            return
        block = as_block(troubles)
        if any(finding.severity is Severity.ERROR for finding in troubles):
            self._fault = Fatal(f"this worker can't do its work here (`sluice doctor` looks again):\n{block}")
        else:
            log.warning("preflight (`sluice doctor` looks again):\n%s", block)


def as_block(findings: list[Finding]) -> str:
    """One line for each finding."""
    return "\n".join(f"  {finding.severity}: {finding.text}" for finding in findings)
