"""Find a checkpoint by name or folder, and refuse one whose scores would be wrong.

Everything here is read from small files before torch is imported, so a wrong name or a single-label model is reported
at once. A hub model is first downloaded into the local cache, so that embedded, local and hub models are the same thing
from here on: a folder.
"""

import hashlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.classifier.checkpoint.card import CARD_FILE
from worker.errors import ModelFault, SettingsInvalid
from worker.models import embedded_model
from worker.settings import ModelSettings

log = logging.getLogger(__name__)

CONFIG_FILE = "config.json"
TOKENIZER_FILES = (
    "added_tokens.json",
    "bpe.codes",
    "byte_maps.json",
    "dict.txt",
    "emoji.json",
    "entity_vocab.json",
    "merges.txt",
    "normalizer.json",
    "prophetnet.tokenizer",
    "sentencepiece.bpe.model",
    "sentencepiece.model",
    "source.spm",
    "special_tokens_map.json",
    "spiece.model",
    "spm.model",
    "spm_char.model",
    "target.spm",
    "target_vocab.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab-src.json",
    "vocab-tgt.json",
    "vocab.json",
    "vocab.txt",
    "word_pronunciation.json",
    "word_shape.json",
)
"""Every file that a tokenizer of transformers reads; a test holds the list against its classes."""

SAFETENSORS = ("model.safetensors", "model.safetensors.index.json", "model-*-of-*.safetensors")
ADAPTER_FILE = "adapter_config.json"
PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "pytorch_model-*-of-*.bin")
OTHER_HEADS = (
    "ForMaskedLM",
    "ForCausalLM",
    "LMHeadModel",
    "ForPreTraining",
    "ForConditionalGeneration",
    "ForTokenClassification",
    "ForQuestionAnswering",
    "ForMultipleChoice",
    "ForNextSentencePrediction",
    "ForImageClassification",
    "ForAudioClassification",
    "Model",
)
"""Ends of the names of classes without a classification head. Any other name, such as that of a class somebody wrote
for training, says nothing: whether the head's weights are there is checked when they are loaded."""

MULTI_LABEL = "multi_label_classification"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint in a folder that the classifier is known to support.

    Attributes:
        id: The name the settings give it.
        revision: Commit on the hub, or the `revision` its configuration records; None when unknown.
        folder: The folder that holds its files.
        labels: Names from `id2label`, in the model's order.
        files: The files the digest covers: weights, configuration, tokenizer.
        pickled: Whether the weights are a pickle, which the settings allow.
    """

    id: str
    revision: str | None
    folder: Path
    labels: tuple[str, ...]
    files: tuple[Path, ...]
    pickled: bool

    def digest(self) -> str:
        """The digest that identifies the content, so that a score can be traced to the exact model a year later.

        It is `sha256:` and the digest over the names and contents of `files`, sorted by name, and reads all of them
        (about 1 GB a second). A shell in the checkpoint's folder gives the same, with the names in the C locale's
        order: `sha256sum config.json model.safetensors tokenizer.json ... | sha256sum`.
        """
        listing = hashlib.sha256()
        for path in sorted(self.files, key=lambda file: file.name):
            with path.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            listing.update(f"{digest}  {path.name}\n".encode())
        return f"sha256:{listing.hexdigest()}"


def find_checkpoint(settings: ModelSettings) -> Checkpoint:
    """Find and check the checkpoint that the settings name.

    An embedded model wins over a folder of the same name (write `./sluice-mini` for the folder), and a folder wins over
    the hub.

    Raises:
        ModelFault: It is missing, incomplete, or not a multi-label sequence classifier.
        SettingsInvalid: The settings name a revision, and the folder records another one or none.
    """
    local = embedded_model(settings.id) or _local_folder(settings.id)
    if local is None:
        from worker.classifier.checkpoint.hub import fetch  # noqa: PLC0415 - slow to import and seldom needed

        folder, commit = fetch(
            settings, (CONFIG_FILE, ADAPTER_FILE, CARD_FILE, "thresholds.json", *TOKENIZER_FILES), SAFETENSORS, PICKLES
        )
    else:
        folder, commit = local, None
    if (folder / ADAPTER_FILE).exists():
        message = (
            f"model {settings.id!r}: {folder} holds an adapter ({ADAPTER_FILE}), which is not supported: merge it into "
            "its base model and save that (peft's merge_and_unload, then save_pretrained), or remove the adapter's "
            "files if the weights beside it are the whole model."
        )
        raise ModelFault(message)
    config = _read_config(settings.id, folder)
    weights, pickled = _weights(settings, folder)
    labels = _labels(settings, config)
    _check_head(settings, config, labels)
    recorded = config.get("revision")
    revision = commit or (None if recorded is None else str(recorded))
    if local is not None and settings.revision not in (None, revision):
        message = (
            f"model {settings.id!r} is the folder {folder}, which has "
            f"{'no revision' if revision is None else f'revision {revision!r}'}, not {settings.revision!r}. "
            "Unset SLUICE_MODEL__REVISION: it selects a revision of a hub model."
        )
        raise SettingsInvalid(message)
    tokenizer = [folder / name for name in TOKENIZER_FILES if (folder / name).is_file()]
    return Checkpoint(
        id=settings.id,
        revision=revision,
        folder=folder,
        labels=labels,
        files=(folder / CONFIG_FILE, *weights, *tokenizer),
        pickled=pickled,
    )


def _local_folder(name: str) -> Path | None:
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        message = f"model folder {name!r} does not exist (looked in {folder.absolute()}). Check SLUICE_MODEL__ID."
        raise ModelFault(message)
    return None


def _read_config(name: str, folder: Path) -> dict[str, Any]:
    path = folder / CONFIG_FILE
    try:
        config = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        message = (
            f"model {name!r}: {folder} has no {CONFIG_FILE}, so it is not a checkpoint. "
            "Name the folder that save_pretrained wrote."
        )
        raise ModelFault(message) from error
    except (OSError, ValueError) as error:
        message = f"model {name!r}: {path} cannot be read ({type(error).__name__}). Download or save the model again."
        raise ModelFault(message) from error
    if not isinstance(config, dict):
        message = f"model {name!r}: {path} is not a JSON object. Download or save the model again."
        raise ModelFault(message)
    return config


def _weights(settings: ModelSettings, folder: Path) -> tuple[list[Path], bool]:
    for patterns, pickled in ((SAFETENSORS, False), (PICKLES, True)):
        found = sorted({path for pattern in patterns for path in folder.glob(pattern)})
        if not found:
            continue
        if pickled and not settings.allow_pickle:
            message = (
                f"model {settings.id!r}: {folder} has its weights only as a pickle, which can run code when it is "
                "loaded. Convert it to safetensors (model.save_pretrained does), or, if you trust its author, set "
                "SLUICE_MODEL__ALLOW_PICKLE=true."
            )
            raise ModelFault(message)
        return found, pickled
    message = f"model {settings.id!r}: {folder} has no weights (model.safetensors). Download or save the model again."
    raise ModelFault(message)


def _labels(settings: ModelSettings, config: dict[str, Any]) -> tuple[str, ...]:
    names = config.get("id2label")
    if names is None:
        # transformers does not write the default pair of names to the file.
        count = config.get("num_labels", 2)
        names = {str(index): f"LABEL_{index}" for index in range(count)}
    try:
        by_index = {int(index): str(name) for index, name in names.items()}
    except (AttributeError, ValueError):
        by_index = {}
    labels = tuple(by_index[index] for index in sorted(by_index))
    if sorted(by_index) != list(range(len(by_index))) or not labels or len(set(labels)) < len(labels):
        message = (
            f"model {settings.id!r}: id2label in its {CONFIG_FILE} must give one distinct name for each of "
            "0, 1, 2, ..., because events name scores by it. Correct the file."
        )
        raise ModelFault(message)
    if any(name == f"LABEL_{index}" for index, name in enumerate(labels)):
        log.warning("model %r has no real label names (LABEL_0, ...): set id2label in its config.json", settings.id)
    return labels


def _check_head(settings: ModelSettings, config: dict[str, Any], labels: tuple[str, ...]) -> None:
    classes = config.get("architectures") or []
    if classes and all(str(name).endswith(OTHER_HEADS) for name in classes):
        message = (
            f"model {settings.id!r} is a {classes[0]}, which has no classification head. "
            "Name a checkpoint fine-tuned for sequence classification."
        )
        raise ModelFault(message)
    problem = config.get("problem_type")
    if problem == MULTI_LABEL or (problem is None and len(labels) == 1):
        return
    if problem is not None:
        message = (
            f"model {settings.id!r} has problem_type={problem!r}: independent scores of its labels would be wrong. "
            f"Name a checkpoint trained for {MULTI_LABEL}; if this one was, correct problem_type in its {CONFIG_FILE}."
        )
        raise ModelFault(message)
    if not settings.multi_label:
        message = (
            f"model {settings.id!r} does not state what it was trained for (problem_type is missing from its "
            f"{CONFIG_FILE}). If its labels are independent of each other, set SLUICE_MODEL__MULTI_LABEL=true."
        )
        raise ModelFault(message)
    log.warning("model %r has no problem_type; scoring it as multi-label (SLUICE_MODEL__MULTI_LABEL)", settings.id)
