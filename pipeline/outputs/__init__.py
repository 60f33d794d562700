"""Documents → JSON lines: the last stage, and the batch run that drives all of them."""
