"""What-if: what a TTL or a policy would have cost over a recorded workload."""
