"""The same for Prometheus."""
