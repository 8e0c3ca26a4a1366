"""Traces too large for memory: row group by row group, here or on a cluster."""
