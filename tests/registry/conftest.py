"""The real registry and the real broker that these tests need."""

from testkit.kafka import kafka
from testkit.registry import registry

__all__ = ["kafka", "registry"]
