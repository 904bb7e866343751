"""Comments that do not come from Kafka: from a file, from standard input, and the samples."""
