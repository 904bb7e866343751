"""What tests and benchmarks share: brokers, workers, checkpoints, doubles."""
