"""The file: where it lies, its tables, and what is wrong with it."""
