"""Checkpoints measured beside the embedded model: the shapes of DistilBERT-base and BERT-base with random weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from worker.models import embedded_model

LABELS = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")
VOCABULARY = 30_522
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def distilbert_shape(folder: Path, texts: Sequence[str]) -> Path:
    """Save DistilBERT-base with a six-label head and random weights; speed does not depend on their values.

    Its tokenizer is the embedded model's (BERT's uncased vocabulary), or one trained on `texts` if there is none.
    """
    from transformers import DistilBertConfig, DistilBertForSequenceClassification  # noqa: PLC0415 - takes seconds

    return _saved(folder, texts, DistilBertConfig, DistilBertForSequenceClassification)


def bert_shape(folder: Path, texts: Sequence[str]) -> Path:
    """Save BERT-base likewise: twice the layers of DistilBERT-base."""
    from transformers import BertConfig, BertForSequenceClassification  # noqa: PLC0415 - takes seconds

    return _saved(folder, texts, BertConfig, BertForSequenceClassification)


def _saved(folder: Path, texts: Sequence[str], config_class: Any, model_class: Any) -> Path:
    import torch  # noqa: PLC0415 - this and the next import take seconds
    from transformers import AutoTokenizer  # noqa: PLC0415 - takes seconds

    embedded = embedded_model("sluice-mini")
    tokenizer = _trained(texts) if embedded is None else AutoTokenizer.from_pretrained(embedded)
    torch.manual_seed(0)
    config = config_class(
        vocab_size=max(VOCABULARY, len(tokenizer)),
        pad_token_id=tokenizer.pad_token_id,
        problem_type="multi_label_classification",
        id2label=dict(enumerate(LABELS)),
        label2id={label: index for index, label in enumerate(LABELS)},
    )
    tokenizer.model_max_length = config.max_position_embeddings
    model = model_class(config)
    # Like a trained head it says no to most texts: near a threshold each would be computed a second time, alone.
    model.classifier.bias.data.fill_(-3.0)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _trained(texts: Sequence[str]) -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers  # noqa: PLC0415 - takes seconds
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415 - takes seconds

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=SPECIAL, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    ends = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call] # untyped in the package
        tokenizer_object=tokenizer, cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", unk_token="[UNK]"
    )
