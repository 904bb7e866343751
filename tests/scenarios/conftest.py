"""Real brokers for the scenarios."""

from testkit.kafka import kafka, kafka_cluster

__all__ = ["kafka", "kafka_cluster"]
