"""Command line: `python -m training train|evaluate|ship`."""

import argparse
import json
import sys
from dataclasses import fields, replace
from pathlib import Path

import torch

from training.data import DataFault, read_splits
from training.loop import Recipe, train
from training.model import load_model, load_tokenizer, source_folder


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
    return parser


def _train(options: argparse.Namespace) -> int:
    recipe = Recipe(bfloat16=not options.float32)
    recipe = replace(recipe, **{f.name: getattr(options, f.name) for f in fields(Recipe) if f.name != "bfloat16"})
    splits = read_splits(options.data)
    torch.manual_seed(recipe.seed)  # the new classifier layer
    model = load_model(source_folder()).to("cuda" if torch.cuda.is_available() else "cpu")
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


if __name__ == "__main__":
    raise SystemExit(main())
