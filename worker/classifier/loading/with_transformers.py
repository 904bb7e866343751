"""Load a checkpoint's model and tokenizer with transformers, or report exactly why that fails.

transformers fills weights that a checkpoint lacks with random numbers and only warns; here that is an error, because
the scores would be random. Weights are always loaded in float32 (transformers' own default follows the file, so a
half-precision checkpoint would compute in float16 on a CPU).
"""

import contextlib
import importlib.util
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import transformers
from transformers.utils import logging as transformers_logging

from worker.classifier.checkpoint.checkpoint import TOKENIZER_FILES, Checkpoint
from worker.classifier.forward.trial import first_line
from worker.errors import ModelFault

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

log = logging.getLogger(__name__)

SPARSE, FULL = "block_sparse", "original_full"
"""BigBird's `attention_type`."""

TOKENIZER_FILE = "tokenizer.json"
SENTENCEPIECE = tuple(name for name in TOKENIZER_FILES if name.endswith((".model", ".spm")))
READERS = {"sentencepiece": "sentencepiece", "protobuf": "google"}
"""Packages that read a SentencePiece model, and the modules to find them by."""

SAVE_TOKENIZER = " Save it beside the model (tokenizer.save_pretrained)."

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
                config=_config(checkpoint),
                dtype=torch.float32,
                use_safetensors=not checkpoint.pickled,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # they are reported, and refused below by name
            )
        except Exception as error:  # transformers, safetensors and json raise anything on a broken checkpoint
            message = (
                f"model {checkpoint.id!r} cannot be loaded from {checkpoint.folder}: {first_line(error)} "
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


def _config(checkpoint: Checkpoint) -> "PretrainedConfig":
    """The model's configuration, changed where the model would give a text other scores after other texts."""
    config: PretrainedConfig = transformers.AutoConfig.from_pretrained(
        checkpoint.folder, trust_remote_code=False, local_files_only=True
    )
    if getattr(config, "attention_type", None) == SPARSE:
        # BigBird switches to full attention at the first text that is shorter than its blocks, and stays there.
        log.info(
            "model %r: computing full attention, as its block-sparse attention depends on earlier texts", checkpoint.id
        )
        config.attention_type = FULL
    return config


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
                f"{_missing_reader(checkpoint.folder) or first_line(error) + SAVE_TOKENIZER}"
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


def _missing_reader(folder: Path) -> str | None:
    """What to do where the vocabulary is a SentencePiece model alone, and nothing here reads it; else None."""
    models = [name for name in SENTENCEPIECE if (folder / name).is_file()]
    missing = [package for package, module in READERS.items() if importlib.util.find_spec(module) is None]
    if not models or not missing or (folder / TOKENIZER_FILE).exists():
        return None
    return (
        f"{models[0]} is a SentencePiece model, which needs packages that are not installed. "
        f"Install them (pip install {' '.join(missing)}), or save {TOKENIZER_FILE} beside it where they are "
        "(AutoTokenizer.from_pretrained, then save_pretrained)."
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence transformers' progress bars and advice: what matters is raised or logged here."""
    verbosity = transformers_logging.get_verbosity()
    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call] # untyped in the package
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call] # untyped in the package
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call] # untyped in the package
