"""What every Kafka client here shares: properties, error codes, retries and the first call to the cluster."""
