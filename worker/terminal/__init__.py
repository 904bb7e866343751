"""What a person at a terminal is shown: results as lines, and how far long work is."""
