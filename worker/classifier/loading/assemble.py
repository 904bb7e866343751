"""Load the parts a classifier computes with. Importing this module imports torch, which takes seconds."""

import functools
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import torch
from tokenizers import Tokenizer

from worker.classifier.checkpoint.golden import read_golden
from worker.classifier.checkpoint.int8_gate import has_passed
from worker.classifier.checkpoint.int8_ranges import read_ranges
from worker.classifier.checkpoint.token_head_file import read_head_file
from worker.classifier.company import TOLERANCES
from worker.classifier.explaining import Explainer
from worker.classifier.forward.architecture import describe
from worker.classifier.forward.build import build_forward, build_packed, settle_precision
from worker.classifier.forward.int8_linear import int8_operators_agree
from worker.classifier.forward.out_of_memory import MemoryBound
from worker.classifier.forward.packed import PackedForward
from worker.classifier.forward.padded import embedding_rows
from worker.classifier.forward.ranges import Ranges
from worker.classifier.forward.token_head import TokenHead
from worker.classifier.forward.trial import ForwardTrial
from worker.classifier.loading.faster_precision import faster_of
from worker.classifier.loading.sample import sample_of
from worker.classifier.loading.skeleton import load_skeleton
from worker.classifier.logit_scorer import LogitScorer
from worker.classifier.machine.hardware import choose_device, pass_tokens
from worker.classifier.text.tokenizer import TextTokenizer
from worker.classifier.text.window_limit import stated_limit, window_tokens
from worker.classifier.text.windows import WindowPlan
from worker.errors import SettingsInvalid
from worker.reasons.marked_words import MarkRule
from worker.settings import ModelSettings, Precision, ReasonMethod
from worker.verdicts import ThresholdSet

if TYPE_CHECKING:
    from worker.classifier.checkpoint.checkpoint import Checkpoint
    from worker.classifier.checkpoint.golden import Golden
    from worker.classifier.forward.forward import Forward

log = logging.getLogger(__name__)

TOKENIZER_FILE = "tokenizer.json"


class LoadedModel(NamedTuple):
    """The loaded parts of a classifier.

    Attributes:
        tokenizer: Texts to token ids.
        plan: Token ids to windows.
        forward: Windows to logits, as it was built.
        memory: The same forward pass, in parts that fit in memory.
        scorer: Logits to classifications.
        explainer: Flagged texts to their reasons; None where none are asked for, or none can be found.
        pass_tokens: Tokens that the forward pass computes at once.
    """

    tokenizer: TextTokenizer
    plan: WindowPlan
    forward: "Forward"
    memory: MemoryBound
    scorer: LogitScorer
    explainer: Explainer | None
    pass_tokens: int


class Loaded(NamedTuple):
    """A checkpoint's files, loaded.

    Attributes:
        tokenizer: Texts to token ids.
        window_limit: Tokens a window may hold, as the checkpoint states it; None when it does not.
        forward: Windows to logits.
    """

    tokenizer: TextTokenizer
    window_limit: int | None
    forward: "Forward"


def assemble(
    checkpoint: "Checkpoint",
    thresholds: ThresholdSet,
    settings: ModelSettings,
    digest: Callable[[], str],
) -> LoadedModel:
    """Load the checkpoint's tokenizer and model, on the device and in the precision that the settings name.

    Args:
        checkpoint: What to load.
        thresholds: Which scores become labels.
        settings: Settings of the model.
        digest: Returns the checkpoint's digest once it has been computed.

    Raises:
        ModelFault: The checkpoint cannot be loaded.
        SettingsInvalid: The settings do not fit the model or this machine.
    """
    device = choose_device(settings.device)
    most_tokens = pass_tokens(settings.max_pass_tokens, device)
    golden = read_golden(checkpoint.folder, digest)
    tokenizer, window_limit, forward = _load(checkpoint, golden, settings, device, digest)
    plan = window_plan(tokenizer, window_limit, settings)
    if _may_take_int8(checkpoint, settings, forward, device, digest):
        in_int8 = settings.model_copy(update={"precision": Precision.INT8})
        forward = faster_of(
            forward, lambda: _load(checkpoint, golden, in_int8, device, digest).forward, plan.max_tokens
        )
    memory = MemoryBound(forward, most_tokens)
    reference: Callable[[], MemoryBound] | None = None
    if forward.precision != Precision.FLOAT32:
        # Loaded a second time, and only if a score is ever not finite: the first model was converted in place.
        in_float32 = settings.model_copy(update={"precision": Precision.FLOAT32})
        reference = functools.cache(
            lambda: MemoryBound(load_with_transformers(checkpoint, in_float32, device).forward, most_tokens)
        )
    scorer = LogitScorer(memory, checkpoint.labels, thresholds, reference, TOLERANCES[forward.precision])
    explainer: Explainer | None = None
    if settings.reasons is not ReasonMethod.OFF:
        rule = _read_tokens(forward, checkpoint, thresholds, settings, device, digest)
        by_leaving_out = None if settings.reasons is ReasonMethod.AUTO else memory
        if rule is not None or by_leaving_out is not None:
            explainer = Explainer(
                tokenizer,
                plan,
                checkpoint.labels,
                rule=rule,
                forward=by_leaving_out,
                budget_tokens=settings.reason_tokens,
            )
    return LoadedModel(tokenizer, plan, forward, memory, scorer, explainer, most_tokens)


def _load(
    checkpoint: "Checkpoint",
    golden: "Golden | None",
    settings: ModelSettings,
    device: torch.device,
    digest: Callable[[], str],
) -> "Loaded":
    ranges = read_ranges(checkpoint.folder, digest) if settings.precision is Precision.INT8 else None
    recorded = load_recorded(checkpoint, golden, settings, device, ranges) if golden else None
    return recorded or load_with_transformers(checkpoint, settings, device, ranges)


def _may_take_int8(
    checkpoint: "Checkpoint",
    settings: ModelSettings,
    forward: "Forward",
    device: torch.device,
    digest: Callable[[], str],
) -> bool:
    """Whether `auto` may compute in int8: its scores have passed their trial, and the machine can."""
    return (
        settings.precision is Precision.AUTO
        and device.type == "cpu"
        and isinstance(forward, PackedForward)
        and int8_operators_agree()
        and has_passed(checkpoint.folder, digest(), checkpoint.id)
    )


def _read_tokens(
    forward: "Forward",
    checkpoint: "Checkpoint",
    thresholds: ThresholdSet,
    settings: ModelSettings,
    device: torch.device,
    digest: Callable[[], str],
) -> MarkRule | None:
    """Give the forward pass the checkpoint's token head, if there is one that it can use; and how to use its marks."""
    if settings.reasons is ReasonMethod.LEAVE_OUT or not isinstance(forward, PackedForward):
        return None
    head = read_head_file(checkpoint.folder, checkpoint.labels, digest)
    if head is None:
        return None
    flagged_from = [thresholds.lowest_flagged(label) for label in checkpoint.labels]
    forward.read_tokens_with(TokenHead(head.weights, flagged_from, device))
    return head.rule


def load_recorded(
    checkpoint: "Checkpoint",
    golden: "Golden",
    settings: ModelSettings,
    device: torch.device,
    ranges: Mapping[int, Ranges] | None = None,
) -> Loaded | None:
    """Load the checkpoint without transformers; None when any result differs from the golden record.

    Raises:
        SettingsInvalid: The precision is not supported on this machine.
    """
    tokenizer = TextTokenizer(
        Tokenizer.from_file(str(checkpoint.folder / TOKENIZER_FILE)), unknown=golden.unknown, kept_out=golden.special
    )
    precision = settle_precision(settings.precision, device, settings.threads)
    encoder = describe(load_skeleton(checkpoint), golden.architecture)
    forward = encoder and build_packed(
        encoder,
        ForwardTrial(golden.windows, torch.tensor(golden.logits)),
        name=golden.architecture,
        device=device,
        precision=precision,
        max_tokens=pass_tokens(settings.max_pass_tokens, device),
        ranges=ranges,
    )
    if forward and tokenizer.whole(golden.texts) == golden.token_ids:
        return Loaded(tokenizer, golden.window_limit, forward)
    log.warning("model %r differs from its golden record: loading it with transformers, slower", checkpoint.id)
    return None


def load_with_transformers(
    checkpoint: "Checkpoint",
    settings: ModelSettings,
    device: torch.device,
    ranges: Mapping[int, Ranges] | None = None,
) -> Loaded:
    """Load the checkpoint with transformers, which supports every architecture and format.

    Raises:
        ModelFault: The checkpoint cannot be loaded, or its model cannot compute a text.
        SettingsInvalid: The settings do not fit the model or this machine.
    """
    from worker.classifier.loading.vocabulary import check_vocabulary, log_kept_out  # noqa: PLC0415 - takes seconds
    from worker.classifier.loading.with_transformers import load_model, load_tokenizer  # noqa: PLC0415 - likewise

    of_checkpoint = load_tokenizer(checkpoint)
    model = load_model(checkpoint)
    rows = embedding_rows(model)
    check_vocabulary(checkpoint.id, of_checkpoint, rows)
    tokenizer = TextTokenizer.of_checkpoint(of_checkpoint, rows)
    log_kept_out(checkpoint.id, of_checkpoint, tokenizer.kept_out)
    window_limit = stated_limit(model, of_checkpoint)
    loaded = iter([model])
    del model  # it is converted in place, and its memory freed if another has to take its place
    forward = build_forward(
        lambda: next(loaded, None) or load_model(checkpoint),
        sample_of(of_checkpoint, tokenizer, _window_tokens(tokenizer, window_limit, settings)),
        device=device,
        precision=settings.precision,
        max_tokens=pass_tokens(settings.max_pass_tokens, device),
        threads=settings.threads,
        ranges=ranges,
    )
    return Loaded(tokenizer, window_limit, forward)


def window_plan(tokenizer: TextTokenizer, window_limit: int | None, settings: ModelSettings) -> WindowPlan:
    """How the token ids of a text become windows.

    Raises:
        SettingsInvalid: A window would have room for special tokens only.
    """
    max_tokens = _window_tokens(tokenizer, window_limit, settings)
    overlap = settings.window_overlap_tokens
    return WindowPlan(tokenizer.prefix, tokenizer.suffix, max_tokens, overlap, max_windows=settings.max_windows)


def _window_tokens(tokenizer: TextTokenizer, window_limit: int | None, settings: ModelSettings) -> int:
    max_tokens = window_tokens(window_limit, settings.max_window_tokens)
    if max_tokens <= len(tokenizer.prefix) + len(tokenizer.suffix):
        message = (
            f"a window of {max_tokens} tokens has room for special tokens only. "
            "Set SLUICE_MODEL__MAX_WINDOW_TOKENS higher."
        )
        raise SettingsInvalid(message)
    return max_tokens
