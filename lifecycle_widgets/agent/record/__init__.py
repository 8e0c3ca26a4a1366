"""What a run has done, while it goes on, and what it has come to in the end."""
