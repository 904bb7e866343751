"""Any Hugging Face multi-label checkpoint as a classifier of texts; knows nothing of Kafka.

    from worker.classifier import Classifier

    classifier = Classifier.load("sluice-mini")
    for result in classifier.classify(["You are a stupid, idiotic jerk. I hate you."]):
        print(result.labels, result.scores)

torch and transformers are imported by `Classifier.load`, not by this package: they take seconds.
"""

from worker.classifier.classifier import Classifier

__all__ = ["Classifier"]
