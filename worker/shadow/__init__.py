"""A candidate model beside the one in use: it scores a sample of the stream too, and no event waits for it."""
