"""What every experiment has: a plan, a run that can be stopped, a result, a verdict."""
