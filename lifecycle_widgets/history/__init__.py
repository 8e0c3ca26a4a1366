"""What was seen, kept between notebooks: sizes and times, never a prompt or an answer."""

from lifecycle_widgets.history.file.faults import HistoryError
from lifecycle_widgets.history.file.place import is_off
from lifecycle_widgets.history.history import History
from lifecycle_widgets.history.keeping import Keeping
from lifecycle_widgets.history.past import Busy, Past

__all__ = ["Busy", "History", "HistoryError", "Keeping", "Past", "is_off"]
