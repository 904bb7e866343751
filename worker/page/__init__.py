"""The page that shows a stream, its scores and its dead letters. It scores nothing, and never imports torch."""
