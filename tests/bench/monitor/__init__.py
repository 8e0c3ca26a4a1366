"""The monitor's figures: what it costs, beside others of its kind."""
