"""From a checkpoint to a loaded model with a forward pass that was checked against transformers."""
