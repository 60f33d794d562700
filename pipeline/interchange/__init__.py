"""Labelled articles in the formats of other tools, read and written without losing anything unseen."""
