"""How the embedded model `sluice-mini` is made: labelled comments in; weights, thresholds and model card out."""
