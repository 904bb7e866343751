"""Benchmarks: each runs its rivals side by side in alternating rounds and says median, spread and ratio."""

from importlib.util import find_spec

if find_spec("torch"):  # the stream libraries of `benchmarks.jobs` run in environments of their own, without it
    from worker.classifier.environment import prepare

    prepare()  # all rivals compute under the worker's thread settings, wherever torch is imported first
