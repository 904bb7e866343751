"""One module a command of `sluice`."""
