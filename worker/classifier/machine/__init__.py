"""The machine: which device computes, what the processor supports, and the process settings that suit it."""
