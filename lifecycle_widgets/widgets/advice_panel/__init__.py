"""The advice as a panel: the cost curve, T* as a slider, the table, and what to do with it."""

from lifecycle_widgets.widgets.advice_panel.panel import AdvicePanel

__all__ = ["AdvicePanel"]
