"""What the README says of the settings is what the settings are."""

from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from worker.settings import Settings

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def rows() -> list[str]:
    table = []
    for section, holder in Settings.model_fields.items():
        fields: Any = holder.annotation
        for name, field in fields.model_fields.items():
            variable = f"SLUICE_{section}__{name}".upper()
            table.append(
                f"| `{variable}` | `{written(field.get_default(call_default_factory=True))}` | {field.description} |"
            )
    return table


def written(default: Any) -> str:
    value = default.value if isinstance(default, Enum) else default
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("row", rows())
def test_every_setting_stands_in_the_readme_with_its_default(row: str) -> None:
    assert row in README
