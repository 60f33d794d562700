"""Word-aligned distillation: a compact encoder in PhoBERT's file format from any teacher."""
