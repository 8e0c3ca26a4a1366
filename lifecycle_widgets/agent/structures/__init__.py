"""A person's griptape structure, and what of it is ours for the time of a run."""
