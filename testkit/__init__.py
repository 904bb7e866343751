"""What tests and benchmarks share: brokers, workers, checkpoints, clocks, test doubles."""
