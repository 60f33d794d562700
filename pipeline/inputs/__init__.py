"""Files, folders, globs and stdin → documents: what stands before the first stage."""
