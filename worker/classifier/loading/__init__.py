"""From a checkpoint to a loaded model whose forward pass was checked against transformers."""
