"""The lab and what only it needs: its history, its drawers, its button to unload."""

from lifecycle_widgets.widgets.tuning_lab.lab import TuningLab

__all__ = ["TuningLab"]
