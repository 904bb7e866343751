"""Envelopes that comments come in (`input.envelope`): CloudEvents, Debezium, Kafka Connect."""
