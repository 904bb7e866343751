"""Settings from files, so that secrets stand neither in the environment nor in a file that is checked in.

`SLUICE_REGISTRY__PASSWORD_FILE=/run/secrets/registry` gives `registry.password`, as for every other setting: the
convention of Docker's images. A folder gives librdkafka's properties, a file each, as Kubernetes mounts a secret.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

SUFFIX = "_FILE"


def resolved(variables: Mapping[str, str | None], known: Iterable[str]) -> tuple[dict[str, str | None], list[str]]:
    """The variables, those that name a file replaced by what it holds; and what is wrong, a line each.

    Args:
        variables: The environment or a `.env`.
        known: Names, in capitals, of variables that settings have.
    """
    names = set(known)
    holding = {name.upper() for name, value in variables.items() if value}
    found: dict[str, str | None] = {}
    problems = []
    for name, value in variables.items():
        stem = name.upper().removesuffix(SUFFIX)
        if name.upper() in names or stem == name.upper() or stem not in names:
            found[name] = value
        elif stem in holding:
            problems.append(f"{name} and {stem} are both set: give one of them")
        elif value:
            try:
                found[stem] = content(Path(value))
            except ValueError as error:
                problems.append(f"{name}: {error}")
    return found, problems


def properties_of(folder: Path) -> dict[str, str]:
    """A property for each file: its name, and what the file holds. Hidden files, and so Kubernetes's own, are left out.

    Raises:
        ValueError: The folder or a file can't be read.
    """
    try:
        files = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file())
    except OSError as error:
        message = f"{folder}: {error.strerror}"
        raise ValueError(message) from None
    return {path.name: content(path) for path in files}


def content(path: Path) -> str:
    """What a file holds, without the line end that editors and `echo` put behind it.

    Raises:
        ValueError: It can't be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise ValueError(message) from None
    except UnicodeDecodeError as error:
        message = f"{path}: not UTF-8 (byte {error.start})"
        raise ValueError(message) from None
