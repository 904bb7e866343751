"""Which records are labelled: conditions on values of the document (`input.where`)."""

from collections.abc import Callable, Sequence
from typing import Any

from jiter import LosslessFloat

from worker.json_pointer import MISSING, resolver
from worker.settings import Condition


def all_hold(conditions: Sequence[Condition]) -> Callable[[Any], bool]:
    """A function that tells whether a document meets all the conditions."""
    tests = [_test(condition) for condition in conditions]
    return lambda document: all(test(document) for test in tests)


def _test(condition: Condition) -> Callable[[Any], bool]:
    find = resolver(condition.pointer)
    if condition.exists is not None:
        wanted = condition.exists
        return lambda document: _is_there(find(document)) is wanted
    values = condition.one_of if condition.one_of is not None else (condition.equals,)
    strings = frozenset(value for value in values if type(value) is str)
    booleans = frozenset(value for value in values if type(value) is bool)
    numbers = frozenset(value for value in values if type(value) in (int, float))

    def holds(document: Any) -> bool:
        found = find(document)
        kind = type(found)
        if kind is str:
            return found in strings
        # Python's True equals 1, JSON's true does not.
        if kind is bool:
            return found in booleans
        if kind is LosslessFloat:  # a document from which an envelope is taken
            return float(found) in numbers
        return kind in (int, float) and found in numbers

    return holds


def _is_there(found: Any) -> bool:
    return found is not MISSING and found is not None
