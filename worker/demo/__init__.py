"""The demo: the real worker between an embedded broker and a terminal."""
