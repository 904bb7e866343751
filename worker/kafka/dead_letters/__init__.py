"""Reading dead letters and sending them back to the topic they came from."""
