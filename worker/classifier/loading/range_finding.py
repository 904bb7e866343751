"""Find how far a checkpoint's rows reach on a sample of texts; see `worker.classifier.forward.ranges`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from worker.classifier.forward.architecture import describe
from worker.classifier.forward.padded import embedding_rows
from worker.classifier.forward.ranges import Ranges, watched
from worker.classifier.loading.assemble import window_plan
from worker.classifier.loading.with_transformers import load_model, load_tokenizer
from worker.classifier.machine.hardware import CPU_PASS_TOKENS, set_threads
from worker.classifier.text.tokenizer import TextTokenizer
from worker.classifier.text.window_limit import stated_limit

if TYPE_CHECKING:
    from worker.classifier.checkpoint.checkpoint import Checkpoint
    from worker.settings import ModelSettings

TEXTS = 512
"""Texts that are looked at, at most: NNCF, whose quantization is based on ranges likewise, looks at 300."""


def find_ranges(checkpoint: "Checkpoint", settings: "ModelSettings", texts: Sequence[str]) -> dict[int, Ranges] | None:
    """The ranges of the checkpoint's layers over TEXTS of the texts, evenly spread; by the layers' places.

    None for a checkpoint without a packed forward pass: it is not computed in int8.

    Raises:
        ModelFault: The checkpoint cannot be loaded.
        SettingsInvalid: The settings do not fit the model.
    """
    set_threads(settings.threads)
    model, of_checkpoint = load_model(checkpoint), load_tokenizer(checkpoint)
    encoder = describe(model, type(model).__name__)
    if encoder is None:
        return None
    tokenizer = TextTokenizer.of_checkpoint(of_checkpoint, embedding_rows(model))
    plan = window_plan(tokenizer, stated_limit(model, of_checkpoint), settings)
    encoded = tokenizer.encode(texts[:: max(1, -(-len(texts) // TEXTS))], plan.capacity)
    windows = [window for ids in encoded for window in plan.windows(ids)]
    forward, found = watched(encoder, CPU_PASS_TOKENS)
    forward.logits([window for window in windows if window])
    return found
