"""The forward pass: packed or padded, in the precision the machine is best at."""
