"""What a load costs: ColdAndWarm."""
