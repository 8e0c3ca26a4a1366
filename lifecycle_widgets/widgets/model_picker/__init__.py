"""ModelPicker: choose one of the installed models, by typing a part of its line."""

from lifecycle_widgets.widgets.model_picker.picker import ModelPicker

__all__ = ["ModelPicker"]
