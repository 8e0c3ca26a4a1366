"""What the file has: as tables, as files, and as a stretch of the past."""
