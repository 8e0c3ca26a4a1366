"""What each witness says: the deadline, the work of a runner, its loading, the log."""
