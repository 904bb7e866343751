"""`sluice run` with one of the fleet's classifiers; run `python -m tests.chaos.worker_program`.

Its environment has, beside the settings, `VARIANT` (a number of `tests.chaos.variants.Variant`) and `INSTANCE`, which
takes the place of the host's name: dead letters and metrics can be compared worker by worker.
"""

import os
import socket
import sys
from collections.abc import Sequence

from testkit.keyword_classifier import Words
from tests.chaos.variants import Variant, VariantClassifier
from worker.__main__ import end_process
from worker.errors import SluiceError
from worker.observability.logs import configure_logs
from worker.run import run
from worker.settings.configuration import load
from worker.types import Classification, Unscorable

WORKS = "the first batch is scored"


class _Announcing(VariantClassifier):
    """Says on stderr when it scores for the first time."""

    _announced = False

    def score(self, encoded: Sequence[Words]) -> list[Classification | Unscorable]:
        if not self._announced:
            self._announced = True
            print(WORKS, file=sys.stderr, flush=True)
        return super().score(encoded)


def main() -> int:
    """Run the worker and return the exit code of `sluice run`."""
    socket.gethostname = lambda: os.environ["INSTANCE"]
    settings = load()
    configure_logs(settings.log)
    try:
        run(settings, classifier=_Announcing(Variant(int(os.environ["VARIANT"]))))
    except SluiceError as error:
        print(f"sluice: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    end_process(main())
