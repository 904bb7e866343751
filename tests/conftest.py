"""What holds for every test."""

from hypothesis import settings

# A deadline measures the machine's other work, not the code.
settings.register_profile("sluice", deadline=None)
settings.load_profile("sluice")
