"""Several models on one server: a workload replayed by the model of the scheduler."""
