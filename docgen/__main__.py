"""`python -m docgen`: write every reference page, and the alerts as the Prometheus Operator takes them."""

from pathlib import Path

from docgen import prometheus_rule
from docgen.pages import FOLDER, PAGES


def main() -> None:
    """Write the pages that changed, and name them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, render in PAGES.items():
        _write(FOLDER / name, render())
    _write(prometheus_rule.PATH, prometheus_rule.render())


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(Path(__file__).parents[1])}")


if __name__ == "__main__":
    main()
