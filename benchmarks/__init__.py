"""Benchmarks: each runs its rivals in alternating rounds and reports median, spread and ratio."""

from importlib.util import find_spec

if find_spec("torch"):  # the stream libraries of `benchmarks.jobs` run in environments without torch
    from worker.classifier.machine.process_tuning import keep_freed_memory, prepare_environment

    # All rivals compute under the worker's settings for threads and memory, wherever torch is imported first.
    prepare_environment()
    keep_freed_memory()
