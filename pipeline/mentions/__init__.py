"""Words → typed mentions: the PhoBERT token classifier, and a CRF baseline beside it."""
