"""From a value in its topic's format to JSON before a record is decoded, and from a label event to it afterwards.

JSON is the default and has no part here: nothing of this room is on the path of its records. The other formats are
read and written with confluent-kafka's own serdes and a schema registry; they need the extra `registry`.
"""
