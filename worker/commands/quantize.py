"""`sluice quantize`: tests whether a checkpoint may be computed in int8."""

import argparse
import json
import sys
from dataclasses import asdict

from worker.commands.arguments import add_data_arguments, labelled_file
from worker.errors import ModelFault
from worker.settings import Settings

EXAMPLE = "sluice quantize validation.csv --model ./my-model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_data_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Try the model in int8 on the file's texts, and write the result beside its weights.

    Raises:
        ModelFault: int8 loses too much; the result is still written.
    """
    from worker.classifier.checkpoint.checkpoint import find_checkpoint
    from worker.classifier.checkpoint.int8_gate import LARGEST_LOSS, write_result
    from worker.quality.int8_trial import try_int8

    result = try_int8(settings, labelled_file(arguments, settings), arguments.clean_weight)
    file = write_result(find_checkpoint(settings.model).folder, result)
    if arguments.json:
        sys.stdout.write(json.dumps({**asdict(result), "passed": result.passed, "file": str(file)}) + "\n")
    else:
        sys.stdout.write(
            f"int8 against float32, {result.texts} texts\n"
            f"mean ROC-AUC loss            {result.roc_auc_loss:.5f}  (allowed {LARGEST_LOSS})\n"
            f"mean average precision loss  {result.average_precision_loss:.5f}  (allowed {LARGEST_LOSS})\n"
            f"flags that agree             {result.flag_agreement:.4%}\n"
            f"largest score difference     {result.largest_difference:.4f}\n"
            f"wrote {file}\n"
        )
    if not result.passed:
        message = (
            f"model {settings.model.id!r} loses too much in int8, so the worker will refuse to compute it in int8. "
            "Set SLUICE_MODEL__PRECISION=auto."
        )
        raise ModelFault(message)
