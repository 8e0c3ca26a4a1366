"""A noticeboard of this machine: processes say on it what they use, and read what others do.

Several people on one machine (a class, a shared server) do not see each other's kernels. Here each
kernel may say that it uses a server and its models, or that an experiment is going to need memory.
A notice holds for as long as the process that wrote it lives. Whatever is wrong with the board, or
with what others have put on it, is as if nothing stood there: no notice breaks a lesson.

What a notice says can be read by everybody on the machine: a user's name, the number of the
process, what it does in a few words, a server's address (without a password), models, and sizes.
Never a prompt or an answer. ``LIFECYCLE_WIDGETS_NEIGHBOURS=off`` puts nothing up and reads nothing.
"""

from lifecycle_widgets.neighbours.board import VARIABLE, board
from lifecycle_widgets.neighbours.notices import Neighbour, Notice, announce, neighbours
from lifecycle_widgets.neighbours.reserving import Short, reserve, reserved_bytes, reserved_text

__all__ = [
    "VARIABLE",
    "Neighbour",
    "Notice",
    "Short",
    "announce",
    "board",
    "neighbours",
    "reserve",
    "reserved_bytes",
    "reserved_text",
]
