"""The `sluice` command, also `python -m worker`."""

import os
import sys
import threading
from collections.abc import Sequence

from worker.errors import SluiceError

INTERRUPTED = 130
INFERENCE_THREAD = "inference"


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


def entry() -> None:
    """Run the command of this process, and end it."""
    code = main()
    if any(thread.name == INFERENCE_THREAD for thread in threading.enumerate()):
        # A batch that was not waited for is still in the model. The interpreter's end would stop its thread in the
        # middle of native code, which aborts the process: the exit code would be lost.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    entry()
