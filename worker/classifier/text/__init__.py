"""From a text to windows of token ids."""
