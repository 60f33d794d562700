"""Labelled articles: reading and writing them, checking them, and turning spans into word labels and back."""
