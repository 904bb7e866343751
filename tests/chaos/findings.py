"""What a run found wrong, or only worth counting."""


class Findings:
    """Counts all, keeps the first few."""

    _KEPT = 20

    def __init__(self) -> None:
        self.count = 0
        self.examples: list[str] = []

    def __str__(self) -> str:
        more = self.count - len(self.examples)
        return "; ".join(self.examples) + (f" and {more:,} more" if more else "")

    def add(self, what: str) -> None:
        """One more."""
        self.count += 1
        if len(self.examples) < self._KEPT:
            self.examples.append(what)
