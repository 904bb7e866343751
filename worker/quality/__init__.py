"""How good a model is on labelled texts, label by label, and which thresholds suit them; knows no Kafka."""
