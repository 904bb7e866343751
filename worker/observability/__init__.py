"""What the worker reports about itself: metrics, health and logs. Knows neither Kafka nor torch."""
