"""The embedded broker: librdkafka's mock cluster in a process of its own, for the demo and for tests."""
