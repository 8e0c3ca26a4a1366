"""A shortage of memory and disk that is real, for processes of our own; and a task in it."""
