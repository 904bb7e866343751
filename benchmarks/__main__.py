"""`python -m benchmarks [NAME ...]`: runs the benchmarks named, or all of them, each with its own defaults."""

import runpy
import sys

BENCHMARKS = (
    "classify",
    "gpu",
    "evasion",
    "reasons",
    "overhead",
    "stream",
    "latency",
    "shadow",
    "scaling",
    "memory",
    "leaks",
    "page",
    "page_open",
)


def main() -> int:
    """Run them one after another; one that lacks something it needs reports that on stderr and is skipped."""
    asked = sys.argv[1:]
    if any(argument.startswith("-") for argument in asked):
        sys.stderr.write("options belong to a single benchmark: see python -m benchmarks.NAME --help\n")
        return 2
    unknown = sorted(set(asked) - set(BENCHMARKS))
    if unknown:
        sys.stderr.write(f"there is no benchmark named {', '.join(unknown)}; name one of {', '.join(BENCHMARKS)}\n")
        return 2
    for name in asked or BENCHMARKS:
        print(f"\n## {name}", flush=True)
        sys.argv = [f"benchmarks.{name}"]
        try:
            runpy.run_module(f"benchmarks.{name}", run_name="__main__", alter_sys=True)
        except SystemExit as end:
            if end.code:
                raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
