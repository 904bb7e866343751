"""The file of a token head, beside the checkpoint whose rows it reads.

It is no part of the checkpoint's digest: scores do not depend on it. It names the digest that it was made for instead,
since the rows of any other weights mean something else to it.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError, safe_open

from worker.classifier.forward.token_head import HeadWeights
from worker.reasons.marked_words import MarkRule

log = logging.getLogger(__name__)

HEAD_FILE = "token_head.safetensors"


class HeadFile(NamedTuple):
    """What the file holds.

    Attributes:
        weights: Of the network.
        rule: How its marks become words.
    """

    weights: HeadWeights
    rule: MarkRule


def read_head_file(folder: Path, labels: tuple[str, ...], digest: Callable[[], str]) -> HeadFile | None:
    """The checkpoint's token head; None where it has none, or one that cannot be used, which is logged.

    Args:
        folder: The checkpoint's.
        labels: The model's, in its order.
        digest: Returns the checkpoint's digest.
    """
    path = folder / HEAD_FILE
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            said = file.metadata() or {}
            if said.get("model") != digest() or said.get("labels") != ",".join(labels):
                log.warning("%s was made for another model: no reasons from it", path)
                return None
            weights = HeadWeights(*(file.get_tensor(name).float() for name in HeadWeights._fields))
        rule = MarkRule(said["method"], float(said["least"]), float(said["relative"]), float(said["of_label"]))
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        log.warning("%s cannot be read (%s): no reasons from it", path, type(error).__name__)
        return None
    return HeadFile(weights, rule)
