"""The record source: one member of a consumer group, with its assignments, commits and rebalances."""
