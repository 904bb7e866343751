-- Flagged comments to a topic of their own, by ksqlDB. tests/examples holds the columns to the event's schema.

CREATE STREAM comment_labels (
  id VARCHAR,
  comment STRUCT<id VARCHAR, text VARCHAR>,
  labels ARRAY<VARCHAR>,
  flagged BOOLEAN,
  scores MAP<VARCHAR, DOUBLE>,
  processed_at VARCHAR
) WITH (KAFKA_TOPIC = 'comment-labels', VALUE_FORMAT = 'JSON');

CREATE STREAM flagged_comments WITH (KAFKA_TOPIC = 'flagged-comments', VALUE_FORMAT = 'JSON') AS
  SELECT id, comment, labels, scores, processed_at
  FROM comment_labels
  WHERE flagged
  EMIT CHANGES;
