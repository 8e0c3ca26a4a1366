"""What other work takes of this machine: which processes are ours, and what all the rest does."""

from lifecycle_widgets.monitor.others.others import Others, Taken

__all__ = ["Others", "Taken"]
