"""The models that ship with Sluice, each in a folder of its own with its card."""

from pathlib import Path


def embedded_model(name: str) -> Path | None:
    """Folder of the embedded model called `name` (`sluice-mini` lives in `sluice_mini`); None when there is none."""
    folder = Path(__file__).parent / name.replace("-", "_")
    return folder if name.replace("-", "_").isidentifier() and (folder / "config.json").is_file() else None
