"""The advisor: a keep_alive recommended from a workload, at a price, with its guarantee."""
