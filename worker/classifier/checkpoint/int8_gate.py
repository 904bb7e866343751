"""Whether a checkpoint may be computed in int8: the result of a trial on labelled data, stored beside the weights.

What 8 bits do to the scores depends on the checkpoint, and a worker has no labelled data to find out. So the trial is
run once (`sluice quantize`), its result is written next to the weights, and it is valid only for the digest it was made
with.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from worker.errors import ModelFault, SettingsInvalid

RESULT_FILE = "int8.json"

LARGEST_LOSS = 0.001
"""Largest accepted loss against float32, in mean ROC-AUC and in mean average precision over the labels."""

LEAST_AGREEMENT = 0.995
"""Least accepted share of (text, label) pairs on the same side of their threshold."""

LEAST_TEXTS = 200
LEAST_POSITIVES = 10
"""Fewest texts, and fewest of them with a label, that a trial is worth: two texts of opposite kinds keep their order in
any precision."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """A checkpoint in int8 compared with itself in float32, on the same labelled texts.

    Attributes:
        digest: Digest of the checkpoint's files.
        texts: Number of texts scored.
        roc_auc_loss: Mean loss over the labels; negative where int8 does better.
        average_precision_loss: The same for average precision.
        flag_agreement: Share of (text, label) pairs on the same side of their threshold.
        largest_difference: Largest difference between two scores of the same text and label.
    """

    digest: str
    texts: int
    roc_auc_loss: float
    average_precision_loss: float
    flag_agreement: float
    largest_difference: float

    @property
    def passed(self) -> bool:
        """Whether enough texts lost little enough: a loss that is NaN fails."""
        return (
            self.texts >= LEAST_TEXTS
            and self.roc_auc_loss <= LARGEST_LOSS
            and self.average_precision_loss <= LARGEST_LOSS
            and self.flag_agreement >= LEAST_AGREEMENT
        )


def write_result(folder: Path, result: GateResult) -> Path:
    """Write the result to the checkpoint's folder, and return the file.

    Raises:
        ModelFault: The folder cannot be written to.
    """
    file = folder / RESULT_FILE
    try:
        file.write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise cannot_write(file, error) from error
    return file


def forget_result(folder: Path) -> None:
    """Remove the result from the checkpoint's folder, if there is one.

    Raises:
        ModelFault: The folder cannot be written to.
    """
    file = folder / RESULT_FILE
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(file, error) from error


def cannot_write(file: Path, error: Exception) -> ModelFault:
    """What to say when a file beside a checkpoint's weights cannot be written."""
    why = error.strerror if isinstance(error, OSError) else type(error).__name__
    return ModelFault(
        f"{file} cannot be written ({why}). Copy the checkpoint to a folder you can write to, and name that folder "
        "with --model."
    )


def has_passed(folder: Path, digest: str, model_id: str) -> bool:
    """Whether the checkpoint in `folder` has passed the gate with these files."""
    try:
        require_passed(folder, digest, model_id)
    except SettingsInvalid:
        return False
    return True


def require_passed(folder: Path, digest: str, model_id: str) -> None:
    """Return if the checkpoint in `folder` has passed the gate.

    Raises:
        SettingsInvalid: It was never tried in int8, was tried with other files, or failed.
    """
    file = folder / RESULT_FILE
    alternative = "or set SLUICE_MODEL__PRECISION=auto."
    try:
        result = GateResult(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        message = (
            f"model {model_id!r} has not been tried in int8. "
            f"Run `sluice quantize FILE --model {model_id}` on labelled comments first, {alternative}"
        )
        raise SettingsInvalid(message) from error
    except (OSError, ValueError, TypeError) as error:
        message = (
            f"{file} is not a result of `sluice quantize` ({type(error).__name__}). Run the command again, "
            f"{alternative}"
        )
        raise SettingsInvalid(message) from error
    if result.digest != digest:
        message = (
            f"model {model_id!r} has changed since it was tried in int8: its digest was {result.digest[:19]}... then "
            f"and is {digest[:19]}... now. Run `sluice quantize FILE --model {model_id}` again, {alternative}"
        )
        raise SettingsInvalid(message)
    if result.texts < LEAST_TEXTS:
        message = (
            f"model {model_id!r} was tried in int8 on {result.texts} texts, fewer than {LEAST_TEXTS}. "
            f"Run `sluice quantize FILE --model {model_id}` on more, {alternative}"
        )
        raise SettingsInvalid(message)
    if not result.passed:
        message = (
            f"model {model_id!r} loses too much in int8 (ROC-AUC {result.roc_auc_loss:.4f}, average precision "
            f"{result.average_precision_loss:.4f}, allowed {LARGEST_LOSS}; flags that agree "
            f"{result.flag_agreement:.2%}, at least {LEAST_AGREEMENT:.1%}). Set SLUICE_MODEL__PRECISION=auto."
        )
        raise SettingsInvalid(message)
