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
from transformers import BertForSequenceClassification, PreTrainedTokenizerBase

from training.batches import pad, plan
from training.data import LABELS, Comments
from training.evasion import disguise
from training.logits import compute_logits, token_ids
from training.model import parameter_groups
from worker.quality.figures import roc_auc

STATE_FILE = "state.pt"
HISTORY_FILE = "history.json"
REPORT_STEPS = 50
AVERAGE_WARMUP_STEPS = 50


@dataclass(frozen=True, slots=True)
class Recipe:
    """Every choice that shapes the weights; two runs of one recipe on one machine and data give the same weights."""

    epochs: int = 4
    seed: int = 7
    max_tokens: int = 256
    batch_tokens: int = 2400
    batch_comments: int = 64
    learning_rate: float = 1.3e-4
    warmup_share: float = 0.06
    final_rate_share: float = 0.02
    clean_weight: float = 2.0
    """Loss weight of a comment without labels: the gathered train split lacks most of them."""
    gradient_norm: float = 1.0
    average_decay: float = 0.998
    """Decay a step of the running average of the weights (Polyak and Juditsky 1992), reached after a warm-up."""
    bfloat16: bool = True


def train(
    train_set: Comments,
    validation: Comments,
    model: BertForSequenceClassification,
    tokenizer: PreTrainedTokenizerBase,
    recipe: Recipe,
    folder: Path,
    report: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    checkpoint_seconds: float = 240.0,
) -> Path:
    """Train `model`, or go on from the state in `folder`, and return the best epoch's checkpoint folder.

    After each epoch the averaged weights go to `folder/epoch-N` and their validation ROC-AUC to `history.json`; the
    best epoch is the one with the highest mean. The order of batches, the noise and the dropout depend on the recipe
    and the epoch alone or are restored, so an interrupted run ends where an unbroken one would.

    Raises:
        ValueError: `folder` holds the state of another recipe.
    """
    run = _Run(train_set, model, tokenizer, recipe)
    state_file, history_file = folder / STATE_FILE, folder / HISTORY_FILE
    folder.mkdir(parents=True, exist_ok=True)
    history: dict[str, Any] = {"recipe": asdict(recipe), "epochs": []}
    if state_file.is_file():
        saved = json.loads(history_file.read_text())
        if saved["recipe"] != history["recipe"]:
            message = f"{folder} holds a run of another recipe; give another folder, or the options it began with"
            raise ValueError(message)
        run.restore(state_file)
        history["epochs"] = saved["epochs"][: run.epoch]
        report(f"resumed after {run.steps} steps, {run.progress:.1%} of the run")
    history_file.write_text(json.dumps(history, indent=1))
    validation_rows = token_ids(tokenizer, validation.texts, recipe.max_tokens)
    saved_at = clock()
    while run.epoch < recipe.epochs:
        loss, epoch_ended = run.advance()
        if run.steps % REPORT_STEPS == 0:
            report(f"{run.progress:.1%} steps={run.steps} loss={loss:.4f}")
        if epoch_ended:
            logits = compute_logits(run.average, validation_rows, tokenizer.pad_token_id, bfloat16=recipe.bfloat16)
            figures = [
                roc_auc(logits[:, i], validation.labels[:, i].astype(float), validation.weights())
                for i in range(len(LABELS))
            ]
            history["epochs"].append({"mean_roc_auc": float(np.mean(figures)), "roc_auc": figures})
            report(f"epoch {run.epoch} of {recipe.epochs}: validation mean ROC-AUC {np.mean(figures):.4f}")
            run.average.save_pretrained(folder / f"epoch-{run.epoch}")
            tokenizer.save_pretrained(folder / f"epoch-{run.epoch}")
        if epoch_ended or clock() - saved_at > checkpoint_seconds:
            run.save(state_file)
            history_file.write_text(json.dumps(history, indent=1))
            saved_at = clock()
    return best_epoch(folder)


def best_epoch(folder: Path) -> Path:
    """Folder of the checkpoint in the run `folder` with the highest mean validation ROC-AUC.

    Raises:
        FileNotFoundError: No epoch of a run has ended there yet.
    """
    epochs = json.loads((folder / HISTORY_FILE).read_text())["epochs"]
    if not epochs:
        message = f"no epoch has ended in {folder} yet"
        raise FileNotFoundError(message)
    best = max(range(len(epochs)), key=lambda epoch: epochs[epoch]["mean_roc_auc"])
    return folder / f"epoch-{best + 1}"


class _Run:
    """Model, average, optimizer and position of a run."""

    def __init__(
        self,
        comments: Comments,
        model: BertForSequenceClassification,
        tokenizer: PreTrainedTokenizerBase,
        recipe: Recipe,
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.comments, self.model, self.tokenizer, self.recipe = comments, model, tokenizer, recipe
        self.device = next(model.parameters()).device
        self.average = copy.deepcopy(model).requires_grad_(requires_grad=False)
        self.optimizer = torch.optim.AdamW(parameter_groups(model, recipe.learning_rate), fused=True)
        self.peak_rates = [group["lr"] for group in self.optimizer.param_groups]
        self.labels = torch.from_numpy(comments.labels)
        self.weights = torch.where(self.labels.any(dim=1), 1.0, recipe.clean_weight)
        self.epoch = 0
        self.done_in_epoch = 0
        self.steps = 0
        self._open_epoch()

    def _open_epoch(self) -> None:
        """Tokenize with this epoch's own noise and plan its batches."""
        noise = random.Random(f"noise/{self.recipe.seed}/{self.epoch}")  # noqa: S311 (no secret)
        texts = [disguise(text, noise) for text in self.comments.texts]
        self.rows = token_ids(self.tokenizer, texts, self.recipe.max_tokens)
        order = random.Random(f"order/{self.recipe.seed}/{self.epoch}")  # noqa: S311 (no secret)
        lengths = [len(row) for row in self.rows]
        self.batches = plan(lengths, self.recipe.batch_tokens, self.recipe.batch_comments, order)

    @property
    def progress(self) -> float:
        """Share of the whole run that is done, 0 to 1."""
        return (self.epoch + self.done_in_epoch / len(self.batches)) / self.recipe.epochs

    def advance(self) -> tuple[float, bool]:
        """Learn from the next batch; its loss, and whether it was the last one of its epoch."""
        batch = self.batches[self.done_in_epoch]
        self._set_rate()
        self.model.train()
        ids, mask = (part.to(self.device) for part in pad([self.rows[i] for i in batch], self.tokenizer.pad_token_id))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.bfloat16):
            logits = self.model(input_ids=ids, attention_mask=mask).logits
        truth, weights = self.labels[batch].to(self.device), self.weights[batch].to(self.device)
        loss = binary_cross_entropy_with_logits(logits.float(), truth, weights[:, None])
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.gradient_norm)
        self.optimizer.step()
        self.steps += 1
        decay = min(self.recipe.average_decay, self.steps / (self.steps + AVERAGE_WARMUP_STEPS))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - decay)
        self.done_in_epoch += 1
        ended = self.done_in_epoch == len(self.batches)
        if ended:
            self.epoch, self.done_in_epoch = self.epoch + 1, 0
            self._open_epoch()
        return loss.item(), ended

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
