"""The loop and its parts: they carry a record from the poll to the commit, whatever the broker and the model."""
