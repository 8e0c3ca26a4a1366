"""From a workload and a price to a recommendation, its evidence and its words."""
