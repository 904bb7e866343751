"""What the shadow has found: read from workers' metrics or from the examples, shown as text, JSON and a page."""
