"""Words → pieces → windows that fit the encoder."""
