"""Fit the token head of a shipped model: which tokens people mark, and what a word adds to each label.

The head reads the rows that enter the model's last layer. Its first output learns from marked comments, the others from
leaving words out. A fifth of the comments to learn from chooses when to stop and from which probability on a word
counts as marked; the tenth that is kept apart has no part in it.
"""

from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from training.data import read_comments
from training.marked_spans import MarkedText, Place, character_f1, read_marked
from training.token_effects import LONGEST, Effects, rare_first, read_effects
from training.token_states import StateReader, States
from worker.classifier.checkpoint.token_head_file import HEAD_FILE
from worker.classifier.forward.token_head import HeadWeights
from worker.reasons.marked_words import MarkRule, marked_words
from worker.reasons.selection import heaviest, reasons_of
from worker.reasons.spans import Offsets
from worker.reasons.words import words_of

METHOD = "token-head@1"
WIDTH = 64
EPOCHS = 8
BATCH = 512
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 0.05
DROPOUT = 0.3
EFFECT_SCALE = 4.0
"""Logits that count as one in the loss of effects, so that they weigh about as much as the marks."""
SEED = 17
HELD_ONE_IN = 5
EFFECT_TEXTS = 150
RARE_TEXTS = 50
OF_LABEL = 0.2
"""A marked word carries a label from this share of the label's heaviest word on."""


class _Lessons(NamedTuple):
    """Tokens to learn from; what is not known of a token is NaN.

    Attributes:
        rows: [tokens, size].
        marked: [tokens], 0 or 1.
        added: [tokens, labels].
    """

    rows: torch.Tensor
    marked: torch.Tensor
    added: torch.Tensor


def fit_token_head(data: Path, checkpoint: Path, work: Path, threads: int) -> dict[str, float | str]:
    """Fit it, write it beside the checkpoint, and return the figures it was chosen by.

    Raises:
        DataFault: A file in `data` is missing or lacks a column.
    """
    torch.manual_seed(SEED)
    reader = StateReader(checkpoint, work, threads)
    labels = reader.classifier.labels
    marked = read_marked(data / "spans.csv", kept=False)
    states = reader.read("marked", [one.text for one in marked])
    rare = rare_first(read_comments(data / "train.csv"), RARE_TEXTS)
    rare_states = reader.read("rare", rare)
    short = [index for index, one in enumerate(marked) if len(one.text) <= LONGEST][:EFFECT_TEXTS]
    effects = read_effects(reader, "marked-effects", [marked[index].text for index in short], work, SEED)
    rare_effects = read_effects(reader, "rare-effects", rare, work, SEED)
    effects_of = dict(zip(short, effects, strict=True))

    held = [index for index in range(len(marked)) if index % HELD_ONE_IN == 0]
    learned = [index for index in range(len(marked)) if index % HELD_ONE_IN]
    lessons = _joined(
        [_lesson(states[at], marked[at].spans, effects_of.get(at), len(labels)) for at in learned]
        + [_lesson(at, None, effect, len(labels)) for at, effect in zip(rare_states, rare_effects, strict=True)]
    )
    weights = _fit(lessons, len(labels))
    marks = [_read(weights, states[at]) for at in held]
    f1, rule = max(
        (_agreement([marked[at] for at in held], [states[at] for at in held], marks, rule), rule) for rule in _rules()
    )
    save_file(
        {name: weight.contiguous() for name, weight in weights._asdict().items()},
        checkpoint / HEAD_FILE,
        metadata={
            "method": rule.method,
            "model": reader.classifier.identity.digest,
            "labels": ",".join(labels),
            "least": str(rule.least),
            "relative": str(rule.relative),
            "of_label": str(rule.of_label),
        },
    )
    return {"out": str(checkpoint / HEAD_FILE), "held": len(held), "character_f1_on_held": f1, **rule._asdict()}


def _lesson(states: States, spans: tuple[Place, ...] | None, effects: Effects | None, labels: int) -> _Lessons:
    marked = np.full(len(states.places), np.nan, np.float32)
    added = np.full((len(states.places), labels), np.nan, np.float32)
    for token, (begin, end) in enumerate(states.places):
        if spans is not None and end > begin:
            inside = sum(max(0, min(end, last) - max(begin, first)) for first, last in spans)
            marked[token] = 2 * inside > end - begin
        for word, effect in zip(effects.words, effects.added, strict=True) if effects is not None else ():
            if begin < word[1] and word[0] < end:
                added[token] = effect
    return _Lessons(torch.from_numpy(states.rows), torch.from_numpy(marked), torch.from_numpy(added))


def _joined(lessons: list[_Lessons]) -> _Lessons:
    return _Lessons(*(torch.cat(parts) for parts in zip(*lessons, strict=True)))


def _fit(lessons: _Lessons, labels: int) -> HeadWeights:
    mean, deviation = lessons.rows.mean(0), lessons.rows.std(0) + 1e-4
    hidden, output = nn.Linear(lessons.rows.shape[1], WIDTH), nn.Linear(WIDTH, 1 + labels)
    parameters = [*hidden.parameters(), *output.parameters()]
    optimizer = torch.optim.AdamW(parameters, LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    steps = EPOCHS * -(-len(lessons.rows) // BATCH)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
    for _ in range(EPOCHS):
        for chosen in torch.split(torch.randperm(len(lessons.rows)), BATCH):
            rows = functional.dropout((lessons.rows[chosen] - mean) / deviation, DROPOUT)
            said = output(functional.dropout(functional.gelu(hidden(rows)), DROPOUT))
            loss = _loss(said, lessons.marked[chosen], lessons.added[chosen])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call] # untyped in torch
            optimizer.step()
            schedule.step()
    # The rows are scaled in the weights, so that the worker need not.
    weight = (hidden.weight / deviation).detach()
    bias = (hidden.bias - weight @ mean).detach()
    return HeadWeights(weight, bias, output.weight.detach(), output.bias.detach())


def _loss(said: torch.Tensor, marked: torch.Tensor, added: torch.Tensor) -> torch.Tensor:
    known, knows = ~marked.isnan(), ~added.isnan()
    loss = said.sum() * 0
    if known.any():
        loss = loss + functional.binary_cross_entropy_with_logits(said[:, 0][known], marked[known])
    if knows.any():
        loss = loss + functional.smooth_l1_loss(said[:, 1:][knows] / EFFECT_SCALE, added[knows] / EFFECT_SCALE)
    return loss


@torch.no_grad()
def _read(weights: HeadWeights, states: States) -> NDArray[np.float32]:
    hidden = functional.gelu(functional.linear(torch.from_numpy(states.rows), weights.hidden, weights.hidden_bias))
    marks: NDArray[np.float32] = functional.linear(hidden, weights.output, weights.output_bias).numpy()
    return marks


def _rules() -> list[MarkRule]:
    return [
        MarkRule(METHOD, least, relative, OF_LABEL)
        for least, relative in product((0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5), (0.3, 0.4, 0.5, 0.6, 0.7))
    ]


def _agreement(
    texts: list[MarkedText], states: list[States], marks: list[NDArray[np.float32]], rule: MarkRule
) -> float:
    """Mean character F1 of all words that are marked."""
    scores = []
    for one, state, mark in zip(texts, states, marks, strict=True):
        words = words_of(one.text)
        weights = marked_words(words, state.places, mark, rule).max(axis=1, initial=0.0).tolist()
        found = reasons_of(one.text, heaviest(words, weights, 0.0), Offsets(one.text), None)
        scores.append(character_f1([(reason.span.begin, reason.span.end) for reason in found], one.spans))
    return float(np.mean(scores))
