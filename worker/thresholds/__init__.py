"""Threshold sets as files: which score of each label puts a comment before a person, and which is acted on."""
