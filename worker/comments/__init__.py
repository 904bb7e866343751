"""Comments that do not come from Kafka: those of a file or standard input, and the samples."""
