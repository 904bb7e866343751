"""The unchanged worker with a classifier that does nothing."""

import sys
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.jobs import LABELS, SCORES
from worker.facts import ModelFacts
from worker.observability.logs import configure_logs
from worker.run import run
from worker.settings import DeadLetterSettings, HttpSettings, InputSettings, KafkaSettings, OutputSettings, Settings
from worker.types import Classification, ModelIdentity, TextFacts, Unscorable
from worker.verdicts import ThresholdSet


class Unread(NamedTuple):
    """A text that is not read."""

    tokens: int


class NoClassifier:
    """Implements `worker.protocols.Classifier`: every text has the same scores."""

    labels = tuple(SCORES)
    identity = ModelIdentity("none", "1", "sha256:" + "00" * 32, "float32")
    thresholds = ThresholdSet("default@1", dict.fromkeys(SCORES, 0.5))
    view = None
    pass_tokens = 2048
    lanes = 1
    _unread = Unread(1)
    _result = Classification(SCORES, tuple(LABELS), TextFacts(1, 1, truncated=False))

    def encode(self, texts: Sequence[str]) -> list[Unread]:
        """The same token for each text."""
        return [self._unread] * len(texts)

    def score(self, encoded: Sequence[Unread]) -> list[Classification | Unscorable]:
        """The same scores for each text."""
        return [self._result] * len(encoded)

    def facts(self) -> ModelFacts:
        """Facts that are all zero: it counts nothing."""
        return ModelFacts()


def main() -> None:
    """Run until asked to stop."""
    servers, source, target, group = sys.argv[1:]
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=servers, group_id=group),
        input=InputSettings(topic=source),
        output=OutputSettings(topic=target),
        dead_letters=DeadLetterSettings(topic=f"{target}.dlq"),
        http=HttpSettings(port=0),
    )
    configure_logs(settings.log)
    run(settings, classifier=NoClassifier())


if __name__ == "__main__":
    main()
