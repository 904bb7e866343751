"""A network of a few thousand parameters and a tokenizer of a few words, so that training takes a second."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from training.data import LABELS
from training.model import load_model

WORDS = ["you", "are", "kind", "vile", "thanks", "rotten", "for", "the", "help", "soul", "a", "friend"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@pytest.fixture
def tokenizer() -> PreTrainedTokenizerFast:
    vocabulary = {token: i for i, token in enumerate([*SPECIAL, *WORDS, *"abcdefghijklmnopqrstuvwxyz"])}
    backend = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106 (a token of the vocabulary)
    backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    backend.enable_truncation(128)
    backend.enable_padding(length=128)
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    make: Any = PreTrainedTokenizerFast  # an untyped constructor
    made: PreTrainedTokenizerFast = make(tokenizer_object=backend, **names)
    return made


@pytest.fixture
def model(tmp_path: Path) -> BertForSequenceClassification:
    torch.manual_seed(3)
    config = BertConfig(
        id2label=dict(enumerate(LABELS)),
        vocab_size=64,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=512,
    )
    folder = tmp_path / "source"
    BertForSequenceClassification(config).save_pretrained(folder)
    loaded = load_model(folder)
    assert isinstance(loaded, BertForSequenceClassification)
    return loaded
