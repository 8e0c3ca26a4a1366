"""A plotly figure of ours as a picture, by matplotlib: read first, then drawn."""
