"""Sluice: a streaming consumer worker that labels comments from Kafka with a multi-label model."""

__version__ = "0.1.0"
