"""Where published events come from: a file, standard input, or the output topic as it is now."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from worker.errors import SettingsInvalid
from worker.formats.label_events import event_reader
from worker.kafka.present_records import present_records
from worker.settings import Settings

STDIN = "-"


def events_of_file(path: Path) -> Iterator[bytes]:
    """The lines of a file, as `sluice watch --json` writes them; `-` is standard input. Blank lines are skipped.

    Raises:
        SettingsInvalid: The file cannot be read.
    """
    if str(path) == STDIN:
        yield from (line for line in sys.stdin.buffer if line.strip())
        return
    try:
        with path.open("rb") as lines:
            yield from (line for line in lines if line.strip())
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}. Name a file of label events, one a line."
        raise SettingsInvalid(message) from None


def events_of_topic(settings: Settings) -> Iterator[bytes | None]:
    """The values of the records that are in the output topic now, as JSON; None for a deletion.

    Raises:
        NoBroker: No broker answered for `kafka.no_broker_seconds`.
        Fatal: The topic does not exist or cannot be read.
        SettingsInvalid: The output's format needs a registry, and its settings are wrong.
    """
    read = event_reader(settings)
    for record in present_records(settings, settings.output.topic, clock=time.monotonic):
        if record.value() is None:
            yield None
            continue
        try:
            yield read(record)
        except ValueError:
            yield b""  # no label event: counted as one that is none
