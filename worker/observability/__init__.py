"""What the worker tells of itself: metrics, health, logs and the trace it passes on. Knows neither Kafka nor torch."""
