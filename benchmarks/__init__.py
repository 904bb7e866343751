"""Benchmarks: each runs its rivals side by side in alternating rounds and says median, spread and ratio."""

from worker.classifier.environment import prepare

prepare()  # all rivals compute under the worker's thread settings, wherever torch is imported first
