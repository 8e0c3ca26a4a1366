"""The news as lines for people, and as NDJSON."""
