"""`sluice run` with the keyword classifier: a worker for tests of the stream rather than of the model.

Run `python -m testkit.keyword_worker` with settings in the environment. `SLOW_SECONDS` in the environment makes each
batch take that long, so that a test can act in the middle of one.
"""

import os
import sys
import time
from collections.abc import Sequence

from testkit.keyword_classifier import KeywordClassifier, Words
from worker.__main__ import end_process
from worker.errors import SluiceError
from worker.observability.logs import configure_logs
from worker.run import run
from worker.settings.configuration import load
from worker.types import Classification, Unscorable


class SlowKeywordClassifier(KeywordClassifier):
    """A keyword classifier that takes `SLOW_SECONDS` for each batch, two at a time."""

    lanes = 2
    seconds = float(os.environ.get("SLOW_SECONDS", "0"))

    def score(self, encoded: Sequence[Words]) -> list[Classification | Unscorable]:
        """Report the batch on stderr, wait, then score it."""
        print(f"scoring {len(encoded)}", file=sys.stderr, flush=True)
        time.sleep(self.seconds)
        return super().score(encoded)


def main() -> int:
    """Run the worker and return the exit code of `sluice run`."""
    settings = load()
    configure_logs(settings.log)
    try:
        run(settings, classifier=SlowKeywordClassifier())
    except SluiceError as error:
        print(f"sluice: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    end_process(main())
