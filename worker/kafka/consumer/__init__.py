"""The source of records: one member of a consumer group, its assignments, commits and rebalances."""
