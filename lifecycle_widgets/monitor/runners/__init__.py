"""The runners of a server: which processes of this machine they are, and whose model each holds."""

from lifecycle_widgets.monitor.runners.names import ModelNames
from lifecycle_widgets.monitor.runners.watch import Found, RunnerWatch

__all__ = ["Found", "ModelNames", "RunnerWatch"]
