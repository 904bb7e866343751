"""Small checkpoints of every supported shape, generated locally: random weights, real tokenizers, no download.

Their weights have a spread wide enough for attention to matter, and the last layer is scaled so that the logits of
ordinary sentences spread around zero. So scores cover 0 to 1, and a swapped row, a padded token or a lost label shows
in a comparison.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PreTrainedTokenizerFast

LABELS = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")

SENTENCES = (
    "You are a stupid, idiotic jerk. I hate you.",
    "Thanks for the edit, the new section on rivers reads much better now!",
    "Could somebody check the reference in the second paragraph? It looks wrong to me.",
    "What a wonderful day; the garden is full of bees and the children play outside.",
    "I will find you, and you will be sorry for what you wrote about my friends.",
    "Nobody asked for your opinion, go away and leave this article alone.",
    "12:30 is fine. See you at the station, platform 9, near the ticket machines.",
    "Ça va très bien, merci beaucoup. Привет, как дела? 你好,世界 🙂",
    "short",
    "No.",
)
"""Sentences on which the tokenizers are trained and over which the logits are spread."""


SAME = 1e-4
"""A deviation of logits below this is rounding."""

Checkpoints = Callable[[str], Path]
"""Gives the folder of a small checkpoint of an architecture."""


class Architecture(NamedTuple):
    """One kind of model: its transformers class prefix, its tokenizer, and the config values that make it small."""

    prefix: str
    tokenizer: Callable[[], PreTrainedTokenizerFast]
    config: dict[str, Any]


def make_checkpoint(
    folder: Path,
    architecture: str = "bert",
    *,
    labels: Sequence[str] = LABELS,
    seed: int = 0,
    config: dict[str, Any] | None = None,
    thresholds: Mapping[str, float | None] | None = None,
) -> Path:
    """Save a small checkpoint of `architecture` (a key of ARCHITECTURES) into `folder`, and return the folder.

    Args:
        folder: Created when missing.
        architecture: Which model and tokenizer.
        labels: Names for `id2label`, in order.
        seed: Seed of the weights.
        config: Values that override those of the architecture, such as `problem_type`.
        thresholds: If given, written as the threshold set `test@1`.
    """
    kind = ARCHITECTURES[architecture]
    tokenizer = kind.tokenizer()
    values = {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.cls_token_id,
        "eos_token_id": tokenizer.sep_token_id,
        "problem_type": "multi_label_classification",
        "id2label": dict(enumerate(labels)),
        "label2id": {label: index for index, label in enumerate(labels)},
        **kind.config,
        **(config or {}),
    }
    generator_state = torch.get_rng_state()
    torch.manual_seed(seed)
    model_class = getattr(transformers, f"{kind.prefix}ForSequenceClassification")
    model = model_class(getattr(transformers, f"{kind.prefix}Config")(**values)).eval()
    torch.set_rng_state(generator_state)
    spread_logits(model, tokenizer)
    tokenizer.model_max_length = int(values.get("model_max_length", 10**30))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if thresholds is not None:
        text = json.dumps({"set": "test@1", "values": dict(thresholds)})
        (folder / "thresholds.json").write_text(text, encoding="utf-8")
    return folder


def reference_scores(folder: Path, texts: Sequence[str], max_tokens: int = 512) -> torch.Tensor:
    """Scores by plain transformers in fp32, one text at a time, cut at `max_tokens`: float32 [texts, labels]."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    rows = []
    with torch.inference_mode():
        for text in texts:
            encoded = tokenizer(text, truncation=True, max_length=max_tokens, return_tensors="pt")
            rows.append(torch.sigmoid(model(**encoded).logits[0]))
    return torch.stack(rows)


def spread_logits(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str] = SENTENCES) -> None:
    """Scale and shift the last layer so that each label's logits over the texts have mean 0 and deviation 1."""
    last = [m for m in model.modules() if isinstance(m, torch.nn.Linear) and m.out_features == model.config.num_labels][
        -1
    ]
    with torch.inference_mode():
        rows = [model(**tokenizer(text, return_tensors="pt")).logits[0] for text in texts]
    logits = torch.stack(rows)
    with torch.no_grad():
        deviation = logits.std(dim=0)
        scale = torch.where(deviation > SAME, 1.0 / deviation, 1.0)  # a model that gives all texts the same keeps it
        last.weight.mul_(scale[:, None])
        if last.bias is not None:
            last.bias.copy_((last.bias - logits.mean(dim=0)) * scale)


def _word_pieces() -> PreTrainedTokenizerFast:
    # Built by hand, because the WordPiece and Unigram trainers give a different vocabulary in each process.
    normalizer, splitter = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    words = {
        word for text in SENTENCES for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text.strip()))
    }
    letters = sorted({letter for word in words for letter in word})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    # Every other word is whole and the rest in letters, so that a text mixes both.
    pieces += [word for word in sorted(words)[::2] if word not in letters]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106 - a vocabulary token
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = splitter
    tokenizer.decoder = decoders.WordPiece()
    return _wrap(tokenizer, cls="[CLS]", sep="[SEP]", pad="[PAD]", unk="[UNK]", mask="[MASK]", pair_types=(0, 1))


def byte_pairs() -> PreTrainedTokenizerFast:
    """A byte-level tokenizer: <s> before a text and </s> after it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return _wrap(tokenizer, cls="<s>", sep="</s>", pad="<pad>", unk="<unk>", mask="<mask>", pair_types=(0, 0))


def _unigrams() -> PreTrainedTokenizerFast:
    words = sorted({word for text in SENTENCES for word in text.split()})
    letters = sorted({letter for word in words for letter in word})
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    # A whole word costs less than its letters; every other word is in the vocabulary.
    pieces = [*((piece, 0.0) for piece in special), ("▁", -3.0), *((letter, -6.0) for letter in letters)]
    pieces += [(f"▁{word}", -8.0) for word in words[::2]]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=special.index("<unk>"), byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return _wrap(tokenizer, cls="<s>", sep="</s>", pad="<pad>", unk="<unk>", mask="<mask>", pair_types=(0, 0))


def _wrap(
    tokenizer: Tokenizer, *, cls: str, sep: str, pad: str, unk: str, mask: str, pair_types: tuple[int, int]
) -> PreTrainedTokenizerFast:
    first, second = pair_types
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{cls}:0 $A:0 {sep}:0",
        pair=f"{cls}:{first} $A:{first} {sep}:{first} $B:{second} {sep}:{second}",
        special_tokens=[(cls, tokenizer.token_to_id(cls)), (sep, tokenizer.token_to_id(sep))],
    )
    # BertTokenizerFast(vocab_file=...) of transformers 5.23 ignores its file; an explicit backend is honoured.
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call] # untyped in the package
        tokenizer_object=tokenizer, cls_token=cls, sep_token=sep, pad_token=pad, unk_token=unk, mask_token=mask
    )


_SMALL = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 128,
    "max_position_embeddings": 512,
    "initializer_range": 0.2,
}
_ROBERTA = {**_SMALL, "max_position_embeddings": 514, "type_vocab_size": 1}

ARCHITECTURES: dict[str, Architecture] = {
    "bert": Architecture("Bert", _word_pieces, _SMALL),
    "distilbert": Architecture(
        "DistilBert",
        _word_pieces,
        {
            "dim": 64,
            "n_layers": 2,
            "n_heads": 4,
            "hidden_dim": 128,
            "max_position_embeddings": 512,
            "initializer_range": 0.2,
        },
    ),
    "roberta": Architecture("Roberta", byte_pairs, _ROBERTA),
    "xlm-roberta": Architecture("XLMRoberta", _unigrams, _ROBERTA),
    "camembert": Architecture("Camembert", _unigrams, _ROBERTA),
    "albert": Architecture("Albert", _unigrams, {**_SMALL, "embedding_size": 24}),
    "electra": Architecture("Electra", _word_pieces, {**_SMALL, "embedding_size": 24}),
    "minilm": Architecture("Bert", _word_pieces, {**_SMALL, "num_hidden_layers": 3, "num_attention_heads": 8}),
    "mpnet": Architecture("MPNet", byte_pairs, {**_SMALL, "max_position_embeddings": 514}),
    "deberta-v2": Architecture(
        "DebertaV2",
        _unigrams,
        {**_SMALL, "type_vocab_size": 0, "relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
    ),
}
"""Every architecture that a test can use; `mpnet` and `deberta-v2` stand for those without a packed forward pass."""
