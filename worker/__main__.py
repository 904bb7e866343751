"""The `sluice` command, also `python -m worker`."""

import os
import sys
from collections.abc import Sequence

from worker.errors import SluiceError

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code tells what became of it (the README has the table)."""
    from worker.cli import dispatch  # noqa: PLC0415 - after the entry point, so that an import error gets a message

    try:
        dispatch(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()  # here, where a reader that is gone is still handled
    except SluiceError as fault:
        print(f"sluice: {fault}", file=sys.stderr)
        return fault.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output is gone (`| head`): nothing is left to tell it, also not at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
