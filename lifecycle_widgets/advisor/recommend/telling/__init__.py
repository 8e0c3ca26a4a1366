"""A recommendation in words, as text, HTML and a table."""
