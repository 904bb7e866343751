"""Verdicts, label events and candidates for tests of the shadow."""

from collections.abc import Callable, Sequence
from typing import Any

from testkit.records import record
from worker.shadow.candidate import Answer
from worker.shadow.sampled import Sampled, Scorer, Verdict
from worker.types import Assignment, Classification, Labelled, ModelIdentity, TextFacts, Unscorable


def scorer(name: str, *labels: str, digit: str = "a") -> Scorer:
    identity = ModelIdentity(name, "1", f"sha256:{digit * 64}", "float32")
    return Scorer(identity, "default@1", "of-its-values", None, labels or ("toxic",))


INCUMBENT = scorer("incumbent", "toxic", "insult", digit="a")
CANDIDATE = scorer("candidate", "toxic", "insult", digit="b")


def verdict(*labels: str, acted: Sequence[str] = (), **scores: float) -> Verdict:
    return Verdict(scores or {"toxic": 0.5, "insult": 0.5}, labels, tuple(acted))


def event(number: int, *labels: str, text: str | None = None, incumbent: Scorer = INCUMBENT) -> Sampled:
    return Sampled(
        "comments",
        "",
        0,
        number,
        f"c-{number}",
        f"text {number}" if text is None else text,
        verdict(*labels),
        incumbent,
    )


def labelled(offset: int, partition: int = 0, topic_id: str = "") -> Labelled:
    assignment = Assignment("comments", partition, 1, topic_id=topic_id)
    found = Classification({"toxic": 0.9, "insult": 0.1}, ("toxic",), TextFacts(3, 1, False), acted=("toxic",))
    return Labelled(record(b"{}", offset=offset, partition=partition), assignment, f"c-{offset}", "you", found)


class ScriptedCandidate:
    """A candidate in this process: answers each call by the next of its answers, an error among them is raised."""

    def __init__(
        self,
        *answers: Exception | Callable[[Sequence[str]], Sequence[Verdict | Unscorable]],
        loaded: Scorer | Exception = CANDIDATE,
        cpu_seconds: float = 0.1,
    ) -> None:
        self.answers = list(answers)
        self.what = loaded
        self.cpu_seconds = cpu_seconds
        self.given: list[list[str]] = []
        self.killed = self.closed = False
        self.when_done: Callable[[], None] = lambda: None

    def loaded(self) -> Scorer:
        if isinstance(self.what, Exception):
            raise self.what
        return self.what

    def score(self, texts: Sequence[str]) -> Answer:
        self.given.append(list(texts))
        answer = self.answers.pop(0)
        if not self.answers:
            self.when_done()
        if isinstance(answer, Exception):
            raise answer
        return Answer(answer(texts), self.cpu_seconds, 1_000)

    def kill(self) -> None:
        self.killed = True

    def close(self) -> None:
        self.closed = True


def flags(*labels: str) -> Callable[[Sequence[str]], Sequence[Any]]:
    """An answer that flags every text with these labels."""
    return lambda texts: [verdict(*labels)] * len(texts)
