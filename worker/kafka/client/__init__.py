"""What every Kafka client here shares: its properties, error codes, retries, first look at the cluster."""
