"""A checkpoint on disk: where it is, what it holds, and which checks it has passed."""
