"""Watching servers without a notebook: what ``lifecycle-lab watch`` does.

News of each server (its models, its requests, itself) are derived from the samples of its monitor
and written for people (`lines`), as JSON (`records`), or counted for Prometheus (`metrics`).
"""

from lifecycle_widgets.watch.run import to_stderr, watch
from lifecycle_widgets.watch.servers import Watched, watched
from lifecycle_widgets.watch.service import SERVICES, service_text
from lifecycle_widgets.watch.written.output import for_people, for_programs, leave_unread
from lifecycle_widgets.watch.written.records import ABOUT

__all__ = [
    "ABOUT",
    "SERVICES",
    "Watched",
    "for_people",
    "for_programs",
    "leave_unread",
    "service_text",
    "to_stderr",
    "watch",
    "watched",
]
