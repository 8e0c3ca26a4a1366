"""A keep_alive that learns as it works."""
