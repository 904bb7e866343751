"""`python -m tests.parity [FAMILY ...] [--write FILE]`: check families, all by default; exit code 1 if one is wrong."""

import argparse
import logging
import sys
import time
from pathlib import Path

from transformers.utils.logging import disable_progress_bar

from tests.parity.check import Outcome, check_family
from tests.parity.families import CLASSES
from tests.parity.page import page


def main() -> int:
    """Check, print a line for each family as it is done, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.parity", description=__doc__)
    parser.add_argument("families", nargs="*", metavar="FAMILY", help="default: all that transformers has")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table to this page of the documentation")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    disable_progress_bar()  # type: ignore[no-untyped-call] # untyped in the package
    outcomes: list[Outcome] = []
    for family in arguments.families or sorted(CLASSES):
        started = time.monotonic()
        outcome = check_family(family)
        outcomes.append(outcome)
        sys.stdout.write(
            f"{family:22} {outcome.verdict:10} {outcome.difference:.1e} {outcome.automatic:9} {outcome.rounded:.1e} "
            f"{time.monotonic() - started:5.1f} s  {outcome.remark[:300]}\n"
        )
        sys.stdout.flush()
    if arguments.write:
        arguments.write.write_text(page(outcomes), encoding="utf-8")
    return 1 if any(outcome.verdict == "wrong" for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
