"""Inference engines that `classify` compares with, each a program that runs in an environment of its own.

`python -m benchmarks.engines.with_NAME` reads a request (`serving.Request`, as a line of JSON) from its input, builds
its model from the checkpoint, scores all texts once untimed, and answers with a line of JSON: the scores and the
versions it runs on, or why it does not support the checkpoint. From then on it scores all texts again for each line it
gets, and answers with the seconds and CPU seconds that took. It ends with its input.
"""
