"""What is in force at a server, beside what was asked."""

from lifecycle_widgets.monitor.in_force.values import InForce, RunnerSettings

__all__ = ["InForce", "RunnerSettings"]
