"""The table of the sweep, as a page of the documentation."""

from collections.abc import Sequence

import transformers

from tests.parity.check import ROUNDED, TOLERANCE, Outcome
from tests.parity.families import CLASSES

HEAD = """# Architectures

Every sequence-classification class of transformers {version}, as a small random checkpoint, against plain transformers
in float32, one text at a time. Made by `make sweep`.

* **right**: in float32 no score differs by more than {tolerance:g}, alone or in company, and in the automatic
  precision by no more than {rounded:g} in the mean; the last column is the largest. Random weights show rounding more
  than trained ones, and a model of experts may choose another one for a text. The automatic precision is bfloat16 where
  the machine has products of it and the scores stay the same at load, else float32.
* **refused**: the model does not load; the command ends with [exit code 6](exit-codes.md) and this sentence.
* **not judged**: plain transformers could not compute the small checkpoint from text alone.

BigBird and BigBird-Pegasus are computed with full attention (`original_full`): with their block-sparse attention, a
text has other scores after a short text than before it.

| `model_type` | class | verdict | float32 | automatic | difference |
|---|---|---|---|---|---|
"""


def page(outcomes: Sequence[Outcome]) -> str:
    """The page for these outcomes."""
    head = HEAD.format(version=transformers.__version__, tolerance=TOLERANCE, rounded=ROUNDED)
    return head + "".join(_row(outcome) for outcome in outcomes)


def _row(outcome: Outcome) -> str:
    start = f"| {outcome.family} | {CLASSES[outcome.family]} "
    if outcome.verdict in ("right", "wrong"):
        return (
            f"{start}| {outcome.verdict} | {outcome.difference:.0e} | {outcome.automatic} | {outcome.rounded:.0e} |\n"
        )
    remark = outcome.remark.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
    return f"{start}| {outcome.verdict}: {remark} | | | |\n"
