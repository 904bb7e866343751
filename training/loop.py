"""The training loop: epochs over batches of like length, a running average of the weights, and exact resumption."""

import copy
import json
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from training.batches import DeviceBatches, plan
from training.corpus import Corpus
from training.data import LABELS, Comments
from training.epochs import Epochs, open_epochs
from training.logits import compute_logits, token_ids
from training.model import freeze, parameter_groups
from worker.quality.figures import roc_auc

STATE_FILE = "state.pt"
HISTORY_FILE = "history.json"
TRAINED_FOLDER = "trained"
REPORT_STEPS = 100
AVERAGE_WARMUP_STEPS = 50


@dataclass(frozen=True, slots=True)
class Recipe:
    """Every choice that shapes the weights; two runs of one recipe on one machine and data give the same weights."""

    epochs: int = 12
    seed: int = 7
    max_tokens: int = 256
    batch_tokens: int = 8192
    batch_comments: int = 192
    learning_rate: float = 3e-4
    warmup_share: float = 0.06
    final_rate_share: float = 0.01
    gradient_norm: float = 1.0
    average_decay: float = 0.998
    """Decay a step of the running average of the weights (Polyak and Juditsky 1992), reached after a warm-up."""
    noise_share: float = 0.3
    """Texts that get spelling noise, drawn anew in each epoch."""
    teacher_trust: float = 0.6
    """Share of a teacher's scores in the target where the label is known too; distillation only."""
    frozen_layers: int = 0
    """Lowest encoder layers that stay as they are, the embeddings with them; 0: everything learns."""
    bfloat16: bool = True


def train(
    corpus: Corpus,
    foul: frozenset[str],
    validation: Comments,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    recipe: Recipe,
    folder: Path,
    report: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    checkpoint_seconds: float = 240.0,
    workers: int = 0,
) -> Path:
    """Train `model`, or go on from the state in `folder`, and return the folder of the averaged weights.

    After each epoch the validation ROC-AUC of the averaged weights goes to `history.json`. The order of batches, the
    noise and the dropout depend on the recipe and the epoch alone or are restored, so an interrupted run ends where an
    unbroken one would.

    Raises:
        ValueError: `folder` holds the state of another recipe.
    """
    state_file, history_file, trained = folder / STATE_FILE, folder / HISTORY_FILE, folder / TRAINED_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    history: dict[str, Any] = {"recipe": asdict(recipe), "texts": len(corpus), "epochs": []}
    saved = json.loads(history_file.read_text()) if history_file.is_file() else history
    if saved["recipe"] != history["recipe"]:
        message = f"{folder} holds a run of another recipe; give another folder, or the options it began with"
        raise ValueError(message)
    if trained.is_dir():
        return trained
    with open_epochs(corpus, foul, tokenizer, recipe.max_tokens, recipe.noise_share, recipe.seed, recipe.epochs,
                     workers) as epochs:  # fmt: skip
        run = _Run(corpus, epochs, model, tokenizer.pad_token_id, recipe)
        if state_file.is_file():
            run.restore(state_file)
            history["epochs"] = saved["epochs"][: run.epoch]
            report(f"resumed after {run.steps} steps, {run.progress:.1%} of the run")
        history_file.write_text(json.dumps(history, indent=1))
        validation_rows = token_ids(tokenizer, validation.texts, recipe.max_tokens)
        saved_at = clock()
        while run.epoch < recipe.epochs:
            loss, epoch_ended = run.advance()
            if run.steps % REPORT_STEPS == 0:
                report(f"{run.progress:.1%} steps={run.steps} loss={loss.item():.4f}")
            if epoch_ended:
                logits = compute_logits(run.average, validation_rows, tokenizer.pad_token_id, bfloat16=recipe.bfloat16)
                figures = _areas(logits, validation)
                history["epochs"].append({"mean_roc_auc": float(np.mean(figures)), "roc_auc": figures})
                report(f"epoch {run.epoch} of {recipe.epochs}: validation mean ROC-AUC {np.mean(figures):.4f}")
                history_file.write_text(json.dumps(history, indent=1))
            if clock() - saved_at > checkpoint_seconds:
                run.save(state_file)
                saved_at = clock()
    partial = folder / f"{TRAINED_FOLDER}.partial"
    run.average.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    partial.rename(trained)
    return trained


def _areas(logits: np.ndarray[Any, np.dtype[np.float64]], validation: Comments) -> list[float]:
    weights = validation.weights()
    return [roc_auc(logits[:, i], validation.labels[:, i].astype(float), weights) for i in range(len(LABELS))]


class _Run:
    """Model, average, optimizer and position of a run."""

    def __init__(self, corpus: Corpus, epochs: Epochs, model: PreTrainedModel, padding: int, recipe: Recipe) -> None:
        torch.manual_seed(recipe.seed)
        self.epochs, self.model, self.padding, self.recipe = epochs, model, padding, recipe
        self.device = next(model.parameters()).device
        freeze(model, recipe.frozen_layers)
        learning = {name for name, weight in model.named_parameters() if weight.requires_grad}
        self.average = copy.deepcopy(model).requires_grad_(requires_grad=False)
        self.averaged: list[torch.Tensor] = [
            weight for name, weight in self.average.named_parameters() if name in learning
        ]
        self.learning: list[torch.Tensor] = [weight for weight in model.parameters() if weight.requires_grad]
        self.optimizer = torch.optim.AdamW(parameter_groups(model, recipe.learning_rate), fused=True)
        self.peak_rates = [group["lr"] for group in self.optimizer.param_groups]
        self.targets = torch.from_numpy(corpus.targets).to(self.device)
        self.weights = torch.from_numpy(corpus.weights()).to(self.device)
        self.epoch = 0
        self.done_in_epoch = 0
        self.steps = 0
        self._open_epoch()

    def _open_epoch(self) -> None:
        """Take this epoch's token ids and plan its batches."""
        if self.epoch == self.recipe.epochs:
            return
        rows = self.epochs.rows(self.epoch)
        order = random.Random(f"order/{self.recipe.seed}/{self.epoch}")  # noqa: S311 (no secret)
        batches = plan([len(row) for row in rows], self.recipe.batch_tokens, self.recipe.batch_comments, order)
        self.batches = DeviceBatches(rows, batches, self.padding, self.device)

    @property
    def progress(self) -> float:
        """Share of the whole run that is done, 0 to 1."""
        return (self.epoch + self.done_in_epoch / len(self.batches)) / self.recipe.epochs

    def advance(self) -> tuple[torch.Tensor, bool]:
        """Learn from the next batch; its loss, and whether it was the last one of its epoch."""
        self._set_rate()
        self.model.train()
        rows = self.batches.rows(self.done_in_epoch)
        ids, mask = self.batches.make(self.done_in_epoch)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.bfloat16):
            logits = self.model(input_ids=ids, attention_mask=mask).logits
        loss = binary_cross_entropy_with_logits(logits.float(), self.targets[rows], self.weights[rows])
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.learning, self.recipe.gradient_norm)
        self.optimizer.step()
        self.steps += 1
        decay = min(self.recipe.average_decay, self.steps / (self.steps + AVERAGE_WARMUP_STEPS))
        with torch.no_grad():
            torch._foreach_lerp_(self.averaged, self.learning, 1 - decay)
        self.done_in_epoch += 1
        ended = self.done_in_epoch == len(self.batches)
        if ended:
            self.epoch, self.done_in_epoch = self.epoch + 1, 0
            self._open_epoch()
        return loss.detach(), ended

    def _set_rate(self) -> None:
        """Linear warm-up, then linear decay."""
        recipe = self.recipe
        share = min((self.progress + 1e-6) / recipe.warmup_share, max(recipe.final_rate_share, 1 - self.progress), 1.0)
        for group, peak in zip(self.optimizer.param_groups, self.peak_rates, strict=True):
            group["lr"] = peak * share

    def save(self, file: Path) -> None:
        """Write the state so that a crash leaves either the old file or the new one."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "position": [self.epoch, self.done_in_epoch, self.steps],
            "dropout": torch.get_rng_state(),
            "dropout_cuda": torch.cuda.get_rng_state() if self.device.type == "cuda" else None,
        }
        partial = file.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(file)

    def restore(self, file: Path) -> None:
        """Take up the state that `save` wrote."""
        state = torch.load(file, map_location="cpu", weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.done_in_epoch, self.steps = state["position"]
        self._open_epoch()
        torch.set_rng_state(state["dropout"])
        if state["dropout_cuda"] is not None:
            torch.cuda.set_rng_state(state["dropout_cuda"])
