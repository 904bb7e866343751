"""Scores can be made again only if it is known which rules read a text: other readings are another version."""

import hashlib

from tests.unit.classifier.text.canonical.test_disguises import DISGUISES
from tests.unit.classifier.text.canonical.test_untouched import UNTOUCHED
from worker.classifier.text.canonical import CANONICAL_VIEW, canonical

READINGS = {"canonical@1": "871c95cda8cae77d546e552a908b33e0774ce6897c939fb061a510c99b5da4ec"}


def test_readings_change_with_the_version_only() -> None:
    texts = [*(written for written, _, _ in DISGUISES), *(text for kind in UNTOUCHED.values() for text in kind)]

    readings = "\n".join(canonical(text).text for text in texts)

    assert hashlib.sha256(readings.encode()).hexdigest() == READINGS[CANONICAL_VIEW], (
        "some text reads otherwise than it did: raise the version in CANONICAL_VIEW, and put the digest here"
    )
