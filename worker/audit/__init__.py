"""Published events scored again, and how they differ."""
