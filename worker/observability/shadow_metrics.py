"""Metrics of the shadow: how the candidate's labels differ from those of the model in use."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

NAMESPACE = "sluice"

DIFFERENCES = (
    *(-0.8, -0.6, -0.4, -0.3, -0.2, -0.1, -0.05, -0.02, -0.005),
    *(0.005, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0),
)
"""Bounds of score differences: narrow about zero, where those of two good models are."""

PAIR = ("incumbent", "candidate")
"""Labels that name who is compared, by the short name of each."""

_DIGITS = slice(len("sha256:"), len("sha256:") + 12)

MISSED = ("absent", "behind", "unscorable", "crashed")
FAILURES = ("load", "crash", "error")
EXAMPLE_RESULTS = ("sent", "failed")
TIERS = ("review", "act")
FLAGGED_BY = ("incumbent", "candidate", "both")


def short_name(digest: str, precision: str, view: str | None, threshold_set: str) -> str:
    """A short name of a model and how it is used, such as `9b1c40aa87f3/float32+canonical@1/default@2`.

    Args:
        digest: The model's, of which the first 12 digits are taken.
        precision: The precision it computes in.
        view: Name and version of its second reading; None where it has none.
        threshold_set: Name and version of its threshold set.
    """
    return f"{digest[_DIGITS]}/{precision}{f'+{view}' if view else ''}/{threshold_set}"


class ShadowMetrics:
    """The part of the catalogue that is about a candidate; all is touched once for several comments, off their path.

    A change of the model in use begins new series of a pair; those of the pair before stay as they were.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, documentation: str, *labels: str) -> Counter:
            return Counter(f"shadow_{name}", documentation, labels, namespace=NAMESPACE, registry=registry)

        def gauge(name: str, documentation: str, *labels: str) -> Gauge:
            return Gauge(f"shadow_{name}", documentation, labels, namespace=NAMESPACE, registry=registry)

        self.up = gauge("up", "1 while a candidate is loaded and compared with the model in use")
        self.info = gauge(
            "info",
            "1, and which two are compared now",
            *("incumbent", "incumbent_id", "incumbent_digest", "incumbent_precision"),
            *("candidate", "candidate_id", "candidate_digest", "candidate_precision"),
        )
        self.sampled = counter("sampled", "Label events chosen to be compared, once they were acknowledged")
        self.compared = counter("compared", "Comments that both models have scored", *PAIR)
        self.missed = counter(
            "missed",
            "Comments chosen and not compared: absent (no candidate is loaded, or the shadow has ended), behind (too "
            "many waited), unscorable (it gives the text no score), crashed (its process ended)",
            "reason",
        )
        self.flagged = counter(
            "flagged",
            "Compared comments that reach a tier of a label (review: the label is assigned) by the incumbent only, by "
            "the candidate only, or by both",
            *("label", "tier", "by", *PAIR),
        )
        self.unmatched_labels = gauge(
            "unmatched_labels", "1 for a label that only one of the two has", "label", "only_in", *PAIR
        )
        self.score_difference = Histogram(
            "shadow_score_difference",
            "Score of the candidate minus score of the model in use, from -1 to 1",
            ("label", *PAIR),
            namespace=NAMESPACE,
            registry=registry,
            buckets=DIFFERENCES,
        )
        # A histogram with values below zero has no sum in Prometheus' text format: it would not be a counter.
        self.score = counter(
            "score",
            "Sum of the scores of compared comments, by which of the two gave them; over compared, the mean",
            *("label", "by", *PAIR),
        )
        self.waiting_records = gauge("waiting_records", "Comments that wait for the candidate")
        self.cpu_seconds = counter("cpu_seconds", "CPU seconds the candidate has computed for comparisons")
        self.memory_bytes = gauge("memory_bytes", "Resident memory of the candidate's process")
        self.failures = counter(
            "failures",
            "Ends of the candidate: load and error (it stays off until the worker starts again), crash (it starts "
            "again later)",
            "reason",
        )
        self.examples = counter("examples", "Examples published: sent, failed", "result")
        for family, values in ((self.missed, MISSED), (self.failures, FAILURES), (self.examples, EXAMPLE_RESULTS)):
            for value in values:
                family.labels(value)

    def describe(
        self,
        pair: tuple[str, str],
        identities: dict[str, str],
        *,
        shared: Sequence[str],
        only_in: dict[str, Sequence[str]],
    ) -> None:
        """Set who is compared from now on; their series begin at zero.

        Args:
            pair: Names of the incumbent and the candidate.
            identities: The other labels of `info`.
            shared: Labels that both have.
            only_in: By `incumbent` and `candidate` the labels that only this one has.
        """
        named = dict(zip(PAIR, pair, strict=True))
        self.info.clear()
        self.info.labels(**named, **identities).set(1)
        self.compared.labels(**named)
        for label in shared:
            self.score_difference.labels(label=label, **named)
            for who in PAIR:
                self.score.labels(label=label, by=who, **named)
            for tier in TIERS:
                for by in FLAGGED_BY:
                    self.flagged.labels(label=label, tier=tier, by=by, **named)
        for one, labels in only_in.items():
            for label in labels:
                self.unmatched_labels.labels(label=label, only_in=one, **named).set(1)
                for tier in TIERS:
                    self.flagged.labels(label=label, tier=tier, by=one, **named)
