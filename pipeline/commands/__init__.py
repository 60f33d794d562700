"""The sub-commands of ``quanhe``, one a file: a plain function, and beside it the `*_cli` that parses and prints."""
