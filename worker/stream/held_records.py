"""Records that were polled and cannot be decoded yet, because what their format needs does not answer."""

from worker.errors import Retryable
from worker.protocols import RecordDecoder
from worker.types import Assignment, Decoded, Record


class HeldRecords:
    """Keeps the order of consumption: what is polled later waits behind what is held. For the poll thread."""

    def __init__(self, decoder: RecordDecoder) -> None:
        self._decode = decoder.decode
        self._held: list[tuple[Record, Assignment]] = []

    def __bool__(self) -> bool:
        return bool(self._held)

    def decode(self, polled: list[tuple[Record, Assignment]]) -> list[Decoded]:
        """Decode what is held and then what was polled, up to the first that can't be decoded yet.

        Records of an assignment that is no longer owned are dropped: their next owner reads them.
        """
        decode = self._decode
        if not self._held:
            try:
                return [decode(record, assignment) for record, assignment in polled]
            except Retryable:
                pass  # rarely: those before it are decoded again
        waiting = [(record, assignment) for record, assignment in (*self._held, *polled) if assignment.owned]
        decoded: list[Decoded] = []
        try:
            for record, assignment in waiting:
                decoded.append(decode(record, assignment))
        except Retryable:
            pass
        self._held = waiting[len(decoded) :]
        return decoded
