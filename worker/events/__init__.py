"""From a record's bytes to a comment, and from an outcome to the record that is published; knows no client library."""
