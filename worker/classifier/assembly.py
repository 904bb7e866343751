"""Load what a classifier computes with. Importing this imports torch and transformers, which takes seconds."""

import functools
from typing import TYPE_CHECKING, NamedTuple

from worker.classification import ThresholdSet
from worker.classifier.device import choose_device
from worker.classifier.engine import build_forward
from worker.classifier.limits import window_tokens
from worker.classifier.loading import load_model, load_tokenizer
from worker.classifier.memory import MemoryBound
from worker.classifier.scoring import Scorer
from worker.classifier.tokens import TextTokenizer
from worker.classifier.windows import WindowPlan
from worker.errors import SettingsInvalid
from worker.settings import BatchSettings, ModelSettings, Precision

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.classifier.checkpoint import Checkpoint
    from worker.classifier.forward import Forward


class Machinery(NamedTuple):
    """The loaded parts of a classifier.

    Attributes:
        tokenizer: Texts to token ids.
        plan: Token ids to windows.
        forward: Windows to logits, as the engine built it.
        memory: The same, within what memory allows.
        scorer: Logits to classifications.
    """

    tokenizer: TextTokenizer
    plan: WindowPlan
    forward: "Forward"
    memory: MemoryBound
    scorer: Scorer


def assemble(
    checkpoint: "Checkpoint", thresholds: ThresholdSet, settings: ModelSettings, batch: BatchSettings
) -> Machinery:
    """Load the checkpoint's tokenizer and model onto the device, in the precision, that the settings ask for.

    Raises:
        ModelFault: The checkpoint cannot be loaded.
        SettingsInvalid: The settings do not fit the model or this machine.
    """
    device = choose_device(settings.device)
    tokenizer = load_tokenizer(checkpoint)
    model = load_model(checkpoint)
    texts = TextTokenizer(tokenizer)
    max_tokens = window_tokens(model, tokenizer, settings.max_tokens)
    if max_tokens <= len(texts.prefix) + len(texts.suffix):
        message = (
            f"a window of {max_tokens} tokens holds nothing but special tokens. Set SLUICE_MODEL__MAX_TOKENS higher."
        )
        raise SettingsInvalid(message)
    plan = WindowPlan(
        texts.prefix, texts.suffix, max_tokens, settings.window_overlap_tokens, max_windows=settings.max_windows
    )
    build = functools.partial(build_forward, device=device, max_tokens=batch.max_tokens, threads=settings.threads)
    forward = build(model, precision=settings.precision)
    memory = MemoryBound(forward, batch.max_tokens)
    reference: Callable[[], MemoryBound] | None = None
    if forward.precision != Precision.FLOAT32:
        # Loaded again, and only if a score is ever not finite: the first model was converted in place.
        reference = functools.cache(
            lambda: MemoryBound(build(load_model(checkpoint), precision=Precision.FLOAT32), batch.max_tokens)
        )
    return Machinery(texts, plan, forward, memory, Scorer(memory, checkpoint.labels, thresholds, reference))
