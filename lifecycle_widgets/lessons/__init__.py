"""What the lessons share: models that nobody needs, claims, guesses, neighbours."""

from lifecycle_widgets.lessons.lesson import Lesson, told

__all__ = ["Lesson", "told"]
