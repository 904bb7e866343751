"""The forward pass: packed or padded, in the precision that suits the machine best."""
