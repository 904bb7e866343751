"""What a person at a terminal sees: results as lines, and the progress of long-running work."""
