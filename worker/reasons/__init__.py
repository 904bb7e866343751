"""Reasons: which words of a text carry each of its labels. Pure functions of texts and numbers."""
