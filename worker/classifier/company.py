"""How far a text's logits may depend on the texts it is computed with, and which verdicts that could turn.

A pack of other shape is computed by other kernels, which add in another order and, in low precision, round elsewhere.
So a text's logits differ a little from batch to batch, by no more than the tolerance of the precision. That must not
show in a verdict, and rounding scores would only move the places where it does: any grid has edges. The rule is:

    A text whose verdict would be another, were each of its logits lower or higher by the tolerance, is computed again,
    alone. Its scores and its verdict are those.

Every verdict is then the one the text gets alone. Proof for a label with threshold t: let f be the monotone function
from a logit to its score, c the logit computed in company, a the one computed alone, and |c - a| <= d, the tolerance.
If f(c - d) and f(c + d) lie on the same side of t, f(a) lies between them. Otherwise a itself is taken.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch

TOLERANCES: Mapping[str, float] = MappingProxyType({"float32": 1e-4, "bfloat16": 0.02, "int8": 0.04})
"""For each precision the largest difference of a logit between two batches that the same text is in.

Of natural comments 0 %, 0.8 % and 1.1 % are so near to one of sluice-mini's thresholds. A model that proves to be less
exact gets a wider one.
"""


def turnable(logits: torch.Tensor, verdicts: Callable[[torch.Tensor], torch.Tensor], tolerance: float) -> list[int]:
    """Rows whose verdict other company could turn.

    Args:
        logits: float32 [texts, labels].
        verdicts: From such logits to what is decided by them, of any shape [texts, ...]; monotone in each logit.
        tolerance: Largest difference that company makes to a logit.
    """
    differ = verdicts(logits - tolerance) != verdicts(logits + tolerance)
    return differ.flatten(1).any(dim=1).nonzero().flatten().tolist()
