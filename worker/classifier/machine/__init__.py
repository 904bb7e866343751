"""The machine: what the processor can do, and the process settings that suit it."""
