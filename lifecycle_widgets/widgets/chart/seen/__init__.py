"""What there is to show: what the monitor has seen, and what a history has of before."""
