"""Benchmarks: each runs its rivals in alternating rounds and reports median, spread and ratio."""

from importlib.util import find_spec

# Rivals in environments of their own, without the worker's packages, run under their users' settings.
if find_spec("torch") and find_spec("confluent_kafka"):
    from worker.classifier.machine.process_tuning import keep_freed_memory, prepare_environment

    # All rivals compute under the worker's settings for threads and memory, wherever torch is imported first.
    prepare_environment()
    keep_freed_memory()
