"""What the chart shows, as tables and files."""
