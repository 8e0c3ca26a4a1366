"""What a policy learns from gaps: which TTL would be the cheapest next."""
