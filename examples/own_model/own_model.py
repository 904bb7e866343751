"""Make a tiny checkpoint (random weights, a vocabulary of words) in a folder, and label comments with it.

A folder that Sluice takes holds what `save_pretrained` writes: `config.json` with the labels in `id2label` and
`problem_type` multi_label_classification, weights as safetensors, and a fast tokenizer. `thresholds.json` is optional.
"""

import argparse
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from sluice import Classifier

LABELS = ("spam", "off_topic", "question")
WORDS = [
    "thanks",
    "for",
    "the",
    "help",
    "could",
    "somebody",
    "check",
    "this",
    "please",
    "buy",
    "now",
    "cheap",
    "offers",
]


def make_checkpoint(folder: Path) -> None:
    """Save model, tokenizer and thresholds."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS, ".", ",", "?", "!"]
    tokenizer = Tokenizer(models.WordPiece({piece: number for number, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", pieces.index("[CLS]")), ("[SEP]", pieces.index("[SEP]"))]
    )
    torch.manual_seed(1)
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=len(pieces),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=128,
            initializer_range=0.5,
            problem_type="multi_label_classification",
            id2label=dict(enumerate(LABELS)),
            label2id={label: number for number, label in enumerate(LABELS)},
        )
    )
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call] # untyped in the package
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder)
    thresholds = {"set": "mine@1", "values": dict.fromkeys(LABELS, 0.6)}
    (folder / "thresholds.json").write_text(json.dumps(thresholds), encoding="utf-8")


def main() -> None:
    """Make the checkpoint where there is none, and label three comments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    if not (folder / "config.json").exists():
        make_checkpoint(folder)
    classifier = Classifier.load(str(folder))
    comments = ["Thanks for the help!", "Could somebody check this, please?", "Buy, buy. Cheap offers!"]
    for comment, found in zip(comments, classifier.classify(comments), strict=True):
        print(f"{', '.join(found.labels) or '-':<30} {comment}")
    print(f"{classifier.identity.digest} {classifier.thresholds.name}")


if __name__ == "__main__":
    main()
