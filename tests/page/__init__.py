"""The page as a person uses it: a Chromium, the real server, a broker."""
