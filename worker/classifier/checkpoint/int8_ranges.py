"""The file of ranges beside a checkpoint: how far its rows reach, for int8 with scales fixed beforehand.

It is no part of the checkpoint's digest, as the result of the trial is not: both are made from a checkpoint by
`sluice quantize`, and name its digest.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from worker.classifier.checkpoint.int8_gate import cannot_write
from worker.classifier.forward.ranges import Ranges

log = logging.getLogger(__name__)

RANGES_FILE = "int8_ranges.safetensors"


def write_ranges(folder: Path, digest: str, ranges: Mapping[int, Ranges]) -> Path:
    """Write the ranges of the layers, by their places, to the checkpoint's folder, and return the file.

    Raises:
        ModelFault: The folder cannot be written to.
    """
    path = folder / RANGES_FILE
    tensors = {
        f"{place}.{field.name}": getattr(found, field.name).contiguous()
        for place, found in ranges.items()
        for field in fields(Ranges)
    }
    try:
        save_file(tensors, path, {"model": digest})
    except (OSError, SafetensorError) as error:
        raise cannot_write(path, error) from error
    return path


def read_ranges(folder: Path, digest: Callable[[], str]) -> dict[int, Ranges] | None:
    """The checkpoint's ranges by the layers' places; None where it has none, or ones that cannot be used (logged).

    Args:
        folder: The checkpoint's.
        digest: Returns the checkpoint's digest.
    """
    path = folder / RANGES_FILE
    if not path.is_file():
        return None
    names = [field.name for field in fields(Ranges)]
    try:
        with safe_open(path, framework="pt") as file:
            if (file.metadata() or {}).get("model") != digest():
                log.warning("%s was made for another model: it is not used. Run `sluice quantize` again", path)
                return None
            places = sorted({int(name.partition(".")[0]) for name in file.keys()})  # noqa: SIM118 - it is no mapping
            return {place: Ranges(*(file.get_tensor(f"{place}.{name}").float() for name in names)) for place in places}
    except (OSError, SafetensorError, ValueError) as error:
        log.warning("%s cannot be read (%s). Run `sluice quantize` again", path, type(error).__name__)
        return None
