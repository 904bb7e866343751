"""Compute a checkpoint's golden record with transformers, and check that loading by that record gives the same."""

import torch

from worker.classifier.checkpoint.checkpoint import Checkpoint
from worker.classifier.checkpoint.golden import Golden
from worker.classifier.forward.padded import embedding_rows
from worker.classifier.forward.trial import random_trial
from worker.classifier.loading.assemble import load_recorded
from worker.classifier.loading.with_transformers import load_model, load_tokenizer
from worker.classifier.text.special_tokens import structural_ids
from worker.classifier.text.tokenizer import TextTokenizer
from worker.classifier.text.window_limit import stated_limit
from worker.errors import ModelFault
from worker.settings import ModelSettings, Precision

TEXTS = [
    "a",
    "You are WELCOME here, naïve Ångström: e\u0301tude, ﬁne, don't, U.S.A., 1,234.5%",
    "中文 and かな, 한국어, Привет, שלום, مرحبا, हिन्दी",
    "🙂🙂🏽 👩‍👩‍👧 ©™",
    "tabs\tand\nnew lines\r\n,  two  spaces \u00a0 zero\u200bwidth so\u00adft",
    "[CLS] [SEP] [PAD] [MASK] [UNK] <s> </s> <pad> <mask> <unk> <|endoftext|>",
    "unbelievableantidisestablishmentarianism" + "x" * 120,
    "http://example.org/?q=1&r=%20 user@example.org #tag @name $%^&*()_+=~`|\\{}",
]
"""Texts that show what tokenizers distinguish: case, accents, scripts, emoji, blanks, control characters, special
tokens."""


def record_reference(checkpoint: Checkpoint) -> Golden:
    """The checkpoint's golden record.

    Raises:
        ModelFault: transformers cannot load the checkpoint, or loading it without transformers gives other results.
    """
    model, tokenizer = load_model(checkpoint), load_tokenizer(checkpoint)
    trial = random_trial(model)
    texts = TextTokenizer.of_checkpoint(tokenizer, embedding_rows(model))
    golden = Golden(
        digest=checkpoint.digest(),
        architecture=type(model).__name__,
        window_limit=stated_limit(model, tokenizer),
        unknown=tokenizer.unk_token_id,
        special=sorted(structural_ids(tokenizer) | texts.kept_out),
        windows=trial.windows,
        logits=trial.logits.tolist(),
        texts=TEXTS,
        token_ids=texts.whole(TEXTS),
    )
    exact = ModelSettings(id=checkpoint.id, device="cpu", precision=Precision.FLOAT32)
    try:
        loaded = load_recorded(checkpoint, golden, exact, torch.device("cpu"))
    except (OSError, KeyError, AttributeError) as error:
        raise ModelFault(_refused(checkpoint, f"{type(error).__name__}: {error}")) from error
    if loaded is None:
        raise ModelFault(_refused(checkpoint, "the results differ"))
    return golden


def _refused(checkpoint: Checkpoint, why: str) -> str:
    return f"model {checkpoint.id!r} cannot be loaded without transformers ({why}). It does not need a golden record."
