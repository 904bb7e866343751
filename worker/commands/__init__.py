"""The commands of `sluice`, one module each.

A command imports torch, Kafka's client and the like when it runs, not when its module is imported: `--help` must not
wait for them.
"""
