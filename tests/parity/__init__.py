"""Every sequence-classification class of transformers, small and random, against plain transformers (`make sweep`)."""
