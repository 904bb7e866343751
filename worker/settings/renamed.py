"""Old names of settings, read with a warning until 1.0: what worked after one upgrade works after the next."""

import warnings
from collections.abc import Mapping
from typing import Any

RENAMED = {
    # A batch holds several forward passes; the old name promised to bound the batch.
    "batch.max_tokens": "model.max_pass_tokens",
    "model.max_tokens": "model.max_window_tokens",
}
"""New dotted name by old dotted name."""


def within_section(section: str, values: Any) -> Any:
    """The section's values with old names replaced by new ones; a new name wins where both are given."""
    if not isinstance(values, Mapping):
        return values
    renamed: dict[str, Any] = {}
    for old, new in _pairs():
        if old[0] == new[0] == section and old[1] in values:
            renamed[new[1]] = values[old[1]]
            values = {name: value for name, value in values.items() if name != old[1]}
            _warn(old)
    return {**renamed, **values}


def between_sections(values: Any) -> Any:
    """The same for settings that moved to another section, over the values of all sections."""
    if not isinstance(values, Mapping):
        return values
    for old, new in _pairs():
        holder = values.get(old[0])
        if old[0] == new[0] or not isinstance(holder, Mapping) or old[1] not in holder:
            continue
        target = values.get(new[0], {})
        given = target if isinstance(target, Mapping) else target.model_dump(exclude_unset=True)
        values = {
            **values,
            old[0]: {name: value for name, value in holder.items() if name != old[1]},
            new[0]: {new[1]: holder[old[1]], **given},
        }
        _warn(old)
    return values


def _pairs() -> list[tuple[tuple[str, str], tuple[str, str]]]:
    return [(_split(old), _split(new)) for old, new in RENAMED.items()]


def _split(name: str) -> tuple[str, str]:
    section, _, field = name.partition(".")
    return section, field


def _warn(old: tuple[str, str]) -> None:
    name = ".".join(old)
    warnings.warn(f"the setting {name} is now {RENAMED[name]}; the old name goes with 1.0", FutureWarning, stacklevel=4)
