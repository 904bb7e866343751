"""`python -m docgen`: write every reference page."""

from docgen.pages import FOLDER, PAGES


def main() -> None:
    """Write the pages that changed, and name them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, render in PAGES.items():
        path = FOLDER / name
        text = render()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote docs/reference/{name}")


if __name__ == "__main__":
    main()
