"""The way out: publishers for both guarantees, and the transactions of exactly-once."""
