"""`python -m sluice`: the same as the command `sluice`."""

from worker.__main__ import entry

if __name__ == "__main__":
    entry()
