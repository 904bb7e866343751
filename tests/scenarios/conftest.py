"""Real brokers for the scenarios."""

from testkit.kafka import breakable_cluster, kafka, kafka_cluster

__all__ = ["breakable_cluster", "kafka", "kafka_cluster"]
