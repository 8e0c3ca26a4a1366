"""A run as a Python program that needs griptape alone: what is written, and what is left out."""

from lifecycle_widgets.griptape_code.access import KEY, USER, shown_address, wanted_secret
from lifecycle_widgets.griptape_code.program import griptape_code

__all__ = ["KEY", "USER", "griptape_code", "shown_address", "wanted_secret"]
