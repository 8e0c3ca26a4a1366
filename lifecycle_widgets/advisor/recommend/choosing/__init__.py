"""Which value, and what it would have come to."""
