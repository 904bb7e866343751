"""Reads dead letters and sends them back to the topic they came from."""
