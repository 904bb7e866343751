"""Command line: `python -m training teach|score|distil|blend|ship|record|evaluate|probe|mark`."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.blending import blend
from training.corpus import Corpus
from training.data import Comments, DataFault, read_comments, read_splits
from training.logits import MAX_TOKENS
from training.loop import HISTORY_FILE, TRAINED_FOLDER, Recipe, train
from training.measuring import sigmoid
from training.model import load_model, load_tokenizer, source_folder
from training.sources import Sources, gather
from training.teaching import read_scores, score_texts, write_scores

TEACHER = Recipe(epochs=3, learning_rate=6e-5)
STUDENT = Recipe()


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0 on success and 2 if the data or the arguments are wrong."""
    options = _parser().parse_args(arguments)
    try:
        command: int = options.command(options)
    except (DataFault, FileNotFoundError, ValueError) as error:
        print(f"training: {error}", file=sys.stderr)
        return 2
    return command


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Callable[[argparse.Namespace], int], purpose: str, **paths: str) -> Any:
        added = commands.add_parser(name, help=purpose)
        added.add_argument(
            "--data", type=Path, required=name not in ("record", "blend"), help="folder with the data sets"
        )
        for path, what in paths.items():
            added.add_argument(f"--{path}", type=Path, required=True, help=what)
        added.set_defaults(command=command)
        return added

    teach = add("teach", _teach, "train a teacher on labels", out="folder of the run")
    teach.add_argument("--source", type=Path, required=True, help="folder of the teacher's pretrained weights")
    _add_recipe(teach, TEACHER)
    score = add("score", _score, "score texts with a teacher", checkpoint="folder of the teacher", out="file to write")
    for narrowed in (teach, score):
        narrowed.add_argument("--only", nargs="+", default=[], help="sources to learn from or score (default: all)")
    score.add_argument("--measure", action="store_true", help="exact scores of a student on what `ship` measures")
    distil = add("distil", _distil, "train the student on labels and teachers' scores", out="folder of the run")
    distil.add_argument("--scores", type=Path, nargs="+", default=[], help="files that `score` wrote")
    distil.add_argument("--source", type=Path, help="folder of the pretrained weights (default: the package's)")
    distil.add_argument("--judged-by", type=int, metavar="COMMENTS", help="validation comments for the history (all)")
    distil.add_argument("--limit", nargs="+", default=[], metavar="SOURCE=TEXTS", help="texts of a source at most")
    _add_recipe(distil, STUDENT)
    blended = {"checkpoint": "folder of one model", "run": "its run, for the history", "other": "folder of the other"}
    mix = add("blend", _blend, "average the weights of two calibrated models", **blended, out="folder of the new run")
    mix.add_argument("--other-name", default="revision 1", help="what the card calls the other")
    mix.add_argument("--share", type=float, default=0.3, help="weight of the other model in the mean")
    add("ship", _ship, "calibrate, choose thresholds, measure on test, write the model folder",
        run="folder that `distil` wrote", scores="file that `score --measure` wrote for it",
        out="folder of the model to ship")  # fmt: skip
    add("record", _record, "record again what transformers answers", checkpoint="folder of the shipped model")
    evaluate = add("evaluate", _evaluate, "print the figures of a shipped model", checkpoint="folder of the model")
    evaluate.add_argument("--split", choices=("validation", "test"), default="test")
    add("probe", _probe, "print what passes and what is caught among the held-out texts", checkpoint="model's folder")
    mark = add("mark", _mark, "fit the token head of a shipped model, which finds the words that carry a label",
        checkpoint="folder of the model", work="folder for what a stopped run need not compute again")  # fmt: skip
    mark.add_argument("--threads", type=int, default=1, help="CPU threads")
    return parser


def _add_recipe(parser: argparse.ArgumentParser, defaults: Recipe) -> None:
    for field in fields(Recipe):
        default = getattr(defaults, field.name)
        if field.name != "bfloat16":
            parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(default), default=default)
    parser.add_argument("--float32", action="store_true", help="no bfloat16 in the forward and backward pass")
    parser.add_argument("--workers", type=int, default=0, help="processes that prepare coming epochs")


def _recipe(options: argparse.Namespace) -> Recipe:
    chosen = {field.name: getattr(options, field.name) for field in fields(Recipe) if field.name != "bfloat16"}
    return replace(Recipe(bfloat16=not options.float32), **chosen)


def _read(options: argparse.Namespace) -> tuple[Sources, Comments]:
    sources = gather(options.data, read_comments(options.data / "train.csv"))
    return sources, read_comments(options.data / "validation.csv")


def _teach(options: argparse.Namespace) -> int:
    sources, validation = _read(options)
    corpus = _only(sources.learn.labelled(), options.only)
    return _train(options, replace(sources, learn=corpus), validation, options.source)


def _score(options: argparse.Namespace) -> int:
    sources, validation = _read(options)
    texts = [*sources.kept.texts, *validation.texts]
    others = read_comments(options.data / "test.csv") if options.measure else _only(sources.learn, options.only)
    texts += others.texts
    tokens = MAX_TOKENS if options.measure else TEACHER.max_tokens
    bfloat16 = torch.cuda.is_available() and not options.measure
    write_scores(options.out, texts, score_texts(options.checkpoint, texts, tokens, bfloat16=bfloat16))
    print(json.dumps({"out": str(options.out), "texts": len(texts)}))
    return 0


def _only(corpus: Corpus, chosen: list[str]) -> Corpus:
    return corpus.part(np.isin(corpus.sources, chosen)) if chosen else corpus


def _limits(options: list[str]) -> dict[str, int]:
    """What `--limit` says; a number that is none is a ValueError."""
    return {source: int(texts) for source, _, texts in (option.partition("=") for option in options)}


def _distil(options: argparse.Namespace) -> int:
    sources, validation = _read(options)
    validation = Comments(validation.texts[: options.judged_by], validation.labels[: options.judged_by])
    if options.scores:
        logits = read_scores(options.scores, sources.learn.texts)
        teacher = sigmoid(logits.astype(np.float64)).astype(np.float32)
        taught = sources.learn.taught(teacher, 1 - options.teacher_trust)
        sources = replace(sources, learn=taught)
    else:
        sources = replace(sources, learn=sources.learn.labelled())
    return _train(options, sources, validation, options.source or source_folder())


def _train(options: argparse.Namespace, sources: Sources, validation: Comments, source: Path) -> int:
    recipe = _recipe(options)
    sources = replace(sources, learn=sources.learn.limited(_limits(getattr(options, "limit", [])), recipe.seed))
    torch.manual_seed(recipe.seed)  # the new classifier layer
    trained = train(
        sources.learn,
        sources.foul,
        validation,
        load_model(source),
        load_tokenizer(source),
        recipe,
        options.out,
        lambda line: print(line, flush=True),
        workers=options.workers,
    )
    print(json.dumps({"trained": str(trained)}))
    return 0


def _blend(options: argparse.Namespace) -> int:
    blend(options.checkpoint, options.other, options.share, options.out / TRAINED_FOLDER)
    history = json.loads((options.run / HISTORY_FILE).read_text(encoding="utf-8"))
    history["blend"] = {"share": options.share, "other": options.other_name}
    (options.out / HISTORY_FILE).write_text(json.dumps(history, indent=1), encoding="utf-8")
    print(json.dumps({"trained": str(options.out / TRAINED_FOLDER)}))
    return 0


def _ship(options: argparse.Namespace) -> int:
    from training.release import release  # noqa: PLC0415 (needs the worker's dependencies, which training does without)

    print(json.dumps(release(options.data, options.run, options.scores, options.out)))
    return 0


def _record(options: argparse.Namespace) -> int:
    from training.shipping import record_golden  # noqa: PLC0415 (likewise)

    print(json.dumps({"out": str(record_golden(options.checkpoint))}))
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from training.shipping import evaluate_folder  # noqa: PLC0415 (likewise)

    comments = getattr(read_splits(options.data), options.split)
    print(json.dumps(evaluate_folder(options.checkpoint, comments), indent=1))
    return 0


def _probe(options: argparse.Namespace) -> int:
    from training.shipping import probe_folder  # noqa: PLC0415 (likewise)

    sources, validation = _read(options)
    print(json.dumps(probe_folder(options.checkpoint, sources.kept, validation), indent=1))
    return 0


def _mark(options: argparse.Namespace) -> int:
    from training.token_head import fit_token_head  # noqa: PLC0415 (likewise)

    print(json.dumps(fit_token_head(options.data, options.checkpoint, options.work, options.threads)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
