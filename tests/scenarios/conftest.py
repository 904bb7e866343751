"""Real brokers for the scenarios."""

from tests.kit.kafka import kafka, kafka_cluster

__all__ = ["kafka", "kafka_cluster"]
