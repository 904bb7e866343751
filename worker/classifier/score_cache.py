"""Scores of texts seen lately: a spam flood is scored once."""

import threading
from collections import OrderedDict

from worker.types import Classification


class ScoreCache:
    """The last `entries` classifications, by a digest of their text; the one unused for longest leaves first.

    Several threads may use it at once: one asks before tokenizing, the others before and after scoring.
    """

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._by_text: OrderedDict[bytes, Classification] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: bytes) -> Classification | None:
        """What was put under `key`, if it is still here."""
        if not self._entries:
            return None
        with self._lock:
            found = self._by_text.get(key)
            if found is not None:
                self._by_text.move_to_end(key)
            return found

    def put(self, key: bytes, classification: Classification) -> None:
        """Keep `classification`."""
        if not self._entries:
            return
        with self._lock:
            self._by_text[key] = classification
            self._by_text.move_to_end(key)
            if len(self._by_text) > self._entries:
                self._by_text.popitem(last=False)
