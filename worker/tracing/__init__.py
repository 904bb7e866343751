"""Spans for OpenTelemetry, around the worker's own parts: nothing of this room is there unless tracing is enabled."""
