"""Benchmarks: each runs its rivals side by side in alternating rounds and says median, spread and ratio."""
