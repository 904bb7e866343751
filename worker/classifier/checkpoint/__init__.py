"""A checkpoint on disk: where it is, what it holds, and what has been proven of it."""
