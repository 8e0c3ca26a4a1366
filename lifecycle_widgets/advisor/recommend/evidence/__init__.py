"""What is known: gaps in groups, today's values, and what a reload costs."""
