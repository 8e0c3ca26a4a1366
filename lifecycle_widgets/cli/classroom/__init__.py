"""``lifecycle-lab class``: one machine and many students."""

from lifecycle_widgets.cli.classroom.command import main

__all__ = ["main"]
