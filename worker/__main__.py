"""The `sluice` command, also `python -m worker`."""

import errno
import os
import sys
import threading
from collections.abc import Sequence
from typing import NoReturn

from worker.errors import SluiceError

INTERRUPTED = 130

_STREAM_ERRORS = {errno.ENOSPC, errno.EIO, errno.EBADF, errno.EDQUOT}
"""What writing to a full disk or a closed descriptor answers."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code says how it ended (the documentation has the table)."""
    _prepare_streams()
    from worker.cli import dispatch  # noqa: PLC0415 - after the entry point, so that an import error gets a message

    try:
        dispatch(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()  # here, where a reader that is gone is still handled
    except SluiceError as error:
        _complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _discard_output()  # the reader of our output is gone (`| head`): nobody is left to report to
        return 0
    except OSError as error:
        if error.errno not in _STREAM_ERRORS or error.filename is not None:
            raise
        _discard_output()
        _complain(f"the output cannot be written: {error.strerror}")
        return SluiceError.exit_code
    return 0


def _prepare_streams() -> None:
    """Closed standard streams count as /dev/null; characters that a terminal's encoding lacks become `?`."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - to the end
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _complain(message: str) -> None:
    """Write the message to stderr; one that cannot be written changes no exit code."""
    try:
        print(f"sluice: {message}", file=sys.stderr, flush=True)
    except OSError:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - to the end


def _discard_output() -> None:
    """What is still buffered for stdout goes nowhere, also at the interpreter's end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def end_process(code: int) -> NoReturn:
    """End this process with this exit code, also where a thread that nothing waits for is still in native code.

    Such a one is a batch in the model or a question to a broker that is away. The interpreter's own end would stop it
    in the middle, or take the TLS library away beneath it: the process aborts, and its exit code is lost.
    """
    if any(thread.daemon for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def entry() -> None:
    """Run the command of this process, and end it."""
    end_process(main())


if __name__ == "__main__":
    entry()
