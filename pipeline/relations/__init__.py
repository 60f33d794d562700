"""Mentions → relations between them: a PhoBERT pair classifier, and nearest-pair rules beside it."""
