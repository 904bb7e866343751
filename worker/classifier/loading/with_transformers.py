"""Load a checkpoint's model and tokenizer with transformers, or report exactly why that fails.

transformers fills weights that a checkpoint lacks with random numbers and only warns; here that is an error, because
the scores would be random. Weights are always loaded in float32 (transformers' own default follows the file, so a
half-precision checkpoint would compute in float16 on a CPU).
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
import transformers
from transformers.utils import logging as transformers_logging

from worker.classifier.checkpoint.checkpoint import Checkpoint
from worker.errors import ModelFault

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

NAMED_WEIGHTS = 4
"""Missing weights that an error names: enough to see which part of the model they belong to."""


def load_model(checkpoint: Checkpoint) -> "PreTrainedModel":
    """The model in float32 on the CPU, ready for inference, with every weight from the checkpoint.

    Raises:
        ModelFault: Its architecture is unknown, needs remote code, or its files lack weights or are broken.
    """
    with _quiet():
        try:
            model, report = transformers.AutoModelForSequenceClassification.from_pretrained(
                checkpoint.folder,
                dtype=torch.float32,
                use_safetensors=not checkpoint.pickled,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # they are reported, and refused below by name
            )
        except Exception as error:  # transformers, safetensors and json raise anything on a broken checkpoint
            message = (
                f"model {checkpoint.id!r} cannot be loaded from {checkpoint.folder}: {_first_line(error)} "
                "Download or save it again, or name another model (models that bring their own code are not supported)."
            )
            raise ModelFault(message) from error
    reshaped = {name for name, *_ in report["mismatched_keys"]}
    if missing := sorted({*report["missing_keys"], *reshaped}):
        message = (
            f"model {checkpoint.id!r}: {len(missing)} of the weights that its configuration calls for are missing from "
            f"its files or have another shape ({', '.join(missing[:NAMED_WEIGHTS])}"
            f"{', ...' if len(missing) > NAMED_WEIGHTS else ''}), so its scores would be random. "
            "Name a checkpoint fine-tuned for sequence classification."
        )
        raise ModelFault(message)
    if model.config.num_labels != len(checkpoint.labels):
        message = (
            f"model {checkpoint.id!r} gives {model.config.num_labels} scores but id2label names "
            f"{len(checkpoint.labels)}. Correct its config.json."
        )
        raise ModelFault(message)
    frozen: PreTrainedModel = model.eval().requires_grad_(requires_grad=False)
    return frozen


def load_tokenizer(checkpoint: Checkpoint) -> "PreTrainedTokenizerBase":
    """The checkpoint's tokenizer, as transformers selects it: a fast one where there is one.

    Raises:
        ModelFault: Its files are missing or broken, or it needs a package that is not installed.
    """
    with _quiet():
        try:
            tokenizer: PreTrainedTokenizerBase = transformers.AutoTokenizer.from_pretrained(
                checkpoint.folder, trust_remote_code=False, local_files_only=True
            )
        except Exception as error:  # anything, as above
            message = (
                f"model {checkpoint.id!r}: its tokenizer cannot be loaded from {checkpoint.folder}: "
                f"{_first_line(error)} Save it beside the model (tokenizer.save_pretrained)."
            )
            raise ModelFault(message) from error
    if len(tokenizer) <= len(tokenizer.all_special_tokens):
        # transformers creates an empty tokenizer when the vocabulary file is missing: every text would be [UNK].
        message = (
            f"model {checkpoint.id!r}: the tokenizer in {checkpoint.folder} has no vocabulary (tokenizer.json is "
            "missing or empty). Save it beside the model (tokenizer.save_pretrained)."
        )
        raise ModelFault(message)
    return tokenizer


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence transformers' progress bars and advice: what matters is raised or logged here."""
    verbosity = transformers_logging.get_verbosity()
    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _first_line(error: Exception) -> str:
    """The first line of a library's message: the rest is advice about the library's own interface."""
    line = next(iter(str(error).strip().splitlines()), "").strip().removesuffix(".")
    return f"{type(error).__name__}: {line}." if line else f"{type(error).__name__}."
