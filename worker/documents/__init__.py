"""What the JSON document of a record means: whether it is labelled, and which comment it is."""
