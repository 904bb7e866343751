"""Delivery of outcomes: publishers for both guarantees, and the transactions of exactly-once."""
