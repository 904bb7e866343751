"""What every benchmark program has: its arguments, the machine's facts, a broker, and a report."""

import argparse
import os
import random
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.results import SIZE, save
from benchmarks.texts import read_texts
from testkit.kafka import Kafka, find_kafka_home


class Program:
    """The command line of a benchmark; add its own arguments to `parser`, then call `parse`.

    Args:
        name: Name of the benchmark's module.
        documentation: Its docstring; the first line becomes the help text.
        needs_kafka: Skip the benchmark, with a message, where KAFKA_HOME names no Kafka.

    Attributes:
        parser: The arguments.
        machine: Facts of this machine, from just before the run; set by `parse`.
    """

    def __init__(self, name: str, documentation: str | None, *, needs_kafka: bool = True) -> None:
        self.machine: dict[str, Any] = {}
        self.parser = argparse.ArgumentParser(
            prog=f"python -m benchmarks.{name}", description=(documentation or "").splitlines()[0]
        )
        self._name = name
        self._needs_kafka = needs_kafka
        self._home = Path()
        self._data: Path | None = None
        self._out = Path()

    def parse(self) -> argparse.Namespace:
        """Read the arguments, find Kafka if it is needed, and take the machine's facts."""
        self.parser.add_argument(
            "--data", type=Path, help="CSV with a `text` column, or its folder (default: SLUICE_DATA)"
        )
        self.parser.add_argument(
            "--out", type=Path, default=Path("benchmarks/results"), help="folder for the JSON and the plot"
        )
        arguments = self.parser.parse_args()
        self._data, self._out = arguments.data, arguments.out
        if self._needs_kafka:
            home = find_kafka_home(os.environ)
            if isinstance(home, str):
                sys.stderr.write(f"{self._name}: skipped: {home}\n")
                sys.exit(0)
            self._home = home
        self.machine = machine()
        return arguments

    def texts(self, *, shuffled: bool = False) -> list[str]:
        """The texts that --data names; `shuffled` puts them into the same random order each time."""
        texts = read_texts(self._data)
        if shuffled:
            random.Random(0).shuffle(texts)  # noqa: S311 - a sample, not a secret
        return texts

    def kafka(self, properties: Mapping[str, str] | None = None) -> Kafka:
        """A broker of one node; a context manager."""
        return Kafka(self._home, nodes=1, properties=properties)

    def save(
        self,
        report: Mapping[str, Any],
        draw: Callable[[Any], None],
        *,
        name: str | None = None,
        size: tuple[float, float] = SIZE,
    ) -> None:
        """Write the report, with the machine's facts, as JSON, and its plot; see `benchmarks.results.save`."""
        save(self._out, name or self._name, {"machine": self.machine, **report}, draw, size=size)
