"""The loop and its parts: what carries a record from the poll to the commit, whatever broker and model it has."""
