"""Settings for every test."""

from hypothesis import settings

# No deadline for one example: it would measure the machine's other load, not the code.
settings.register_profile("sluice", deadline=None)
settings.load_profile("sluice")
