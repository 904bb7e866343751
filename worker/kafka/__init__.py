"""All that knows Kafka: the source of records, their delivery with either guarantee, dead letters and topics."""
