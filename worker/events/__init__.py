"""From a record's bytes to a comment, and from an outcome to the published record; depends on no client library."""
