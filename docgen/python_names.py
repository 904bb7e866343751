"""The page of Python names, from the facade `sluice`."""

import inspect
import re

import sluice
from docgen.markdown import block, code, page, summary, table

_INTRODUCTION = """\
`import sluice` gives the names that other programs may build on. They are imported when they are first used; torch is
imported by `Classifier.load`. Everything else in `worker` and `schemas` moves without notice.

```python
from sluice import Classifier

classifier = Classifier.load("sluice-mini")  # an embedded name, a folder, or a hub name
for found in classifier.classify(["Thanks, that helped."]):
    print(found.flagged, found.labels, found.scores["toxic"] < 0.5)
```"""

_METHODS = ("load", "classify", "labels", "identity", "thresholds")


def render() -> str:
    """The page."""
    rows = [[code(name), _kind(name), summary(getattr(sluice, name))] for name in sluice.__all__ if name[0] != "_"]
    rows.append([code("__version__"), "string", "Version of the distribution `sluice-worker`."])
    methods = [_method(name) for name in _METHODS]
    return page("Python", _INTRODUCTION, table(["name", "kind", "what"], rows), "## sluice.Classifier", *methods)


def _kind(name: str) -> str:
    value = getattr(sluice, name)
    if not inspect.isclass(value):
        return "function"
    if issubclass(value, BaseException):
        return "exception"
    if issubclass(value, tuple):
        return "named tuple"
    return "pydantic model" if hasattr(value, "model_fields") else "class"


def _method(name: str) -> str:
    found = inspect.getattr_static(sluice.Classifier, name)
    if isinstance(found, property):
        return f"### {name}\n\n{summary(found)}"
    function = found.__func__ if isinstance(found, classmethod) else found
    # Annotations are strings (`from __future__ import annotations`), which are shown in quotes.
    signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)))
    signature = re.sub(r"^\((self|cls)(, )?", "(", signature)
    return f"### {name}\n\n{block(name + signature)}\n\n{block(inspect.getdoc(function) or '')}"
