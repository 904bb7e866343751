"""The shadow's findings from the examples that it has published."""

from bisect import bisect_left
from collections.abc import Iterable
from itertools import chain

from pydantic import ValidationError

from schemas.shadow import ExampleVerdict, ShadowExample
from worker.observability.shadow_metrics import DIFFERENCES, short_name
from worker.quality.shadow.comparison import Comparison, Findings

NOT_AN_EXAMPLE = "not-an-example"


def read_examples(values: Iterable[bytes | None], source: str) -> Findings:
    """The findings of these examples; each event counts once, however often its example was published.

    Of examples that are published only where the models differ, nobody knows how many comments were compared.

    Args:
        values: Values of the records.
        source: Where they are from, for a person.
    """
    pairs: dict[tuple[str, str], Comparison] = {}
    seen: set[tuple[str, str]] = set()
    unread = 0
    partial = False
    for value in values:
        try:
            example = ShadowExample.model_validate_json(value or b"")
        except ValidationError:
            unread += 1
            continue
        pair = _name(example.incumbent), _name(example.candidate)
        if (example.event_id, pair[1]) in seen:
            continue
        seen.add((example.event_id, pair[1]))
        partial = partial or example.kept == "differing"
        one = pairs.pop(pair, None) or Comparison(*pair)
        pairs[pair] = one  # the pair of the latest example comes last
        _add(one, example)
    found = list(pairs.values())[::-1]
    for one in found:
        if partial:
            one.compared = None
    return Findings(found, None, {NOT_AN_EXAMPLE: unread} if unread else {}, [source])


def _name(verdict: ExampleVerdict) -> str:
    model = verdict.model
    return short_name(model.digest, model.precision, verdict.view, verdict.threshold_set)


def _add(one: Comparison, example: ShadowExample) -> None:
    incumbent, candidate = example.incumbent, example.candidate
    if not one.models:
        one.models = {
            who: {what: str(getattr(verdict.model, what)) for what in ("id", "digest", "precision")}
            for who, verdict in (("incumbent", incumbent), ("candidate", candidate))
        }
        one.only_in = {
            "incumbent": [label for label in incumbent.scores if label not in candidate.scores],
            "candidate": [label for label in candidate.scores if label not in incumbent.scores],
        }
    one.compared = (one.compared or 0) + 1
    for label in dict.fromkeys(chain(incumbent.scores, candidate.scores)):
        figures = one.of(label)
        for tier, reached in (("review", {"review", "act"}), ("act", {"act"})):
            flags = figures.flags(tier)
            first, second = incumbent.tiers.get(label) in reached, candidate.tiers.get(label) in reached
            flags.both += first and second
            flags.incumbent += first and not second
            flags.candidate += second and not first
        if label in incumbent.scores and label in candidate.scores:
            shift = candidate.scores[label] - incumbent.scores[label]
            figures.differences[bisect_left(DIFFERENCES, shift)] += 1
            figures.total_difference += shift
