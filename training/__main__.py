"""Command line: `python -m training train|ship|record|evaluate`."""

import argparse
import json
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch

from training.card import model_card
from training.data import Comments, DataFault, read_splits
from training.loop import HISTORY_FILE, Recipe, best_epoch, train
from training.model import load_model, load_tokenizer, source_folder
from training.shipping import MODEL_FILES, REVISION, evaluate, ship
from worker.classifier.checkpoint.checkpoint import find_checkpoint
from worker.classifier.checkpoint.golden import write_golden
from worker.classifier.loading.recording import record_reference
from worker.settings import ModelSettings


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when done, 2 when the data or the arguments are wrong."""
    options = _parser().parse_args(arguments)
    try:
        command: int = options.command(options)
    except (DataFault, FileNotFoundError, ValueError) as fault:
        print(f"training: {fault}", file=sys.stderr)
        return 2
    return command


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train_parser = commands.add_parser("train", help="train, or go on with an interrupted run")
    train_parser.add_argument("--data", type=Path, required=True, help="folder with the labelled comments")
    train_parser.add_argument("--out", type=Path, required=True, help="folder of the run: state, history, epochs")
    for field in fields(Recipe):
        if field.name == "bfloat16":
            continue
        kind = type(field.default)
        train_parser.add_argument(f"--{field.name.replace(chr(95), chr(45))}", type=kind, default=field.default)
    train_parser.add_argument("--float32", action="store_true", help="no bfloat16 in the forward and backward pass")
    train_parser.set_defaults(command=_train)

    ship_parser = commands.add_parser(
        "ship", help="calibrate, choose thresholds, measure on test, write the model folder"
    )
    ship_parser.add_argument("--data", type=Path, required=True, help="folder with the labelled comments")
    ship_parser.add_argument("--run", type=Path, required=True, help="folder that `train` wrote")
    ship_parser.add_argument("--out", type=Path, required=True, help="folder of the model to ship")
    ship_parser.set_defaults(command=_ship)

    record_parser = commands.add_parser("record", help="record anew what transformers answers for a shipped model")
    record_parser.add_argument("--checkpoint", type=Path, required=True, help="folder of the shipped model")
    record_parser.set_defaults(command=_record)

    evaluate_parser = commands.add_parser("evaluate", help="print the figures of a shipped model")
    evaluate_parser.add_argument("--data", type=Path, required=True, help="folder with the labelled comments")
    evaluate_parser.add_argument("--checkpoint", type=Path, required=True, help="folder of the shipped model")
    evaluate_parser.add_argument("--split", choices=("validation", "test"), default="test")
    evaluate_parser.set_defaults(command=_evaluate)
    return parser


def _train(options: argparse.Namespace) -> int:
    recipe = Recipe(bfloat16=not options.float32)
    recipe = replace(recipe, **{f.name: getattr(options, f.name) for f in fields(Recipe) if f.name != "bfloat16"})
    splits = read_splits(options.data)
    torch.manual_seed(recipe.seed)  # the new classifier layer
    model = load_model(source_folder())
    torch.nn.Module.to(model, device="cuda" if torch.cuda.is_available() else "cpu")
    best = train(
        splits.train,
        splits.validation,
        model,
        load_tokenizer(source_folder()),
        recipe,
        options.out,
        lambda line: print(line, flush=True),
    )
    print(json.dumps({"best": str(best)}))
    return 0


def _ship(options: argparse.Namespace) -> int:
    splits = read_splits(options.data)
    best = best_epoch(options.run)
    history = json.loads((options.run / HISTORY_FILE).read_text(encoding="utf-8"))
    calibration = ship(load_model(best), load_tokenizer(best), splits.validation, options.out)
    figures = {
        "model": {"id": "sluice-mini", "revision": REVISION},
        "splits": {"train": len(splits.train), "validation": len(splits.validation), "test": len(splits.test)},
        "recipe": history["recipe"],
        "epochs": history["epochs"],
        "best_epoch": int(best.name.removeprefix("epoch-")),
        "calibration": calibration,
        "test": _measure(options.out, splits.test),
    }
    (options.out / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    size = sum((options.out / name).stat().st_size for name in MODEL_FILES)
    (options.out / "README.md").write_text(model_card(figures, size), encoding="utf-8")
    print(json.dumps({"out": str(options.out), "bytes": size, "mean_roc_auc": figures["test"]["mean_roc_auc"]}))
    return 0


def _record(options: argparse.Namespace) -> int:
    golden = record_reference(find_checkpoint(ModelSettings(id=str(options.checkpoint.absolute()))))
    print(json.dumps({"out": str(write_golden(options.checkpoint, golden))}))
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    splits = read_splits(options.data)
    print(json.dumps(_measure(options.checkpoint, getattr(splits, options.split)), indent=1))
    return 0


def _measure(folder: Path, comments: Comments) -> dict[str, Any]:
    thresholds = json.loads((folder / "thresholds.json").read_text(encoding="utf-8"))["values"]
    return evaluate(load_model(folder), load_tokenizer(folder), comments, thresholds)


if __name__ == "__main__":
    raise SystemExit(main())
