"""Starts workers as processes, with nothing but the given settings."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from testkit.child_process import ROOT, Child
from worker.settings.origins import PREFIX, variable


def environment_of(settings: Mapping[str, object], *, keep: Sequence[str] = ()) -> dict[str, str]:
    """This process's environment with these settings, by dotted name, and no others; without the HTTP server.

    Args:
        settings: By dotted name, for example `{"input.topic": "in"}`.
        keep: Prefixes of settings' variables in this process's environment that stay, for example `SLUICE_MODEL__`.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(PREFIX) or any(name.startswith(prefix) for prefix in keep)
    }
    return kept | {variable(name): str(value) for name, value in {"http.port": 0, **settings}.items()}


class WorkerProcess(Child):
    """A worker with the keyword classifier on a real broker.

    Args:
        bootstrap_servers: Addresses of the cluster.
        settings: By dotted name, for example `{"input.topic": "in"}`.
        slow_seconds: How long each batch takes in the model.
        crash: A point of `testkit.crashing_worker` to die at, and how often it is passed before; None: it lives.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        settings: Mapping[str, object],
        *,
        slow_seconds: float = 0.0,
        crash: tuple[str, int] | None = None,
    ) -> None:
        environment = {
            **environment_of({"kafka.bootstrap_servers": bootstrap_servers, "log.format": "json", **settings}),
            "SLOW_SECONDS": str(slow_seconds),
            "PYTHONPATH": str(ROOT),
        }
        program = "testkit.keyword_worker"
        if crash is not None:
            program = "testkit.crashing_worker"
            environment |= {"CRASH_AT": crash[0], "CRASH_AFTER": str(crash[1])}
        super().__init__([sys.executable, "-m", program], environment)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The fields of each line that the worker logged under this name."""
        lines = (line for line in self.log.splitlines() if line.startswith("{") and line.endswith("}"))
        return [fields for fields in map(json.loads, lines) if fields.get("event") == name]
