"""An agent or a pipeline whose requests come one after the other: InALoop."""
