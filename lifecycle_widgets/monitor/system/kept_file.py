"""A file of /proc or of a control group that is read again and again, by one open descriptor."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_PIECE_BYTES = 16384
_SHORT_BYTES = 2048  # the kernel fills most of a page before it stops between two lines
_HIGHEST = 512  # a process may have 1024 files open: where there are many, none is kept


class KeptFile:
    """Reads a file that the kernel writes anew for each reading.

    Opening and closing would double what a reading costs. Of a process that has ended, a file that
    was open says so, also when its number is another's by now.

    Parameters
    ----------
    path:
        The file.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether the next reading is by a descriptor that is open already."""
        return self._descriptor is not None

    def read(self) -> bytes:
        """Its beginning: of /proc at least 4 kB, up to a whole line. Raises OSError."""
        return self._pieces(most=1)

    def read_all(self) -> bytes:
        """All of it. Raises OSError."""
        return self._pieces(most=1000)

    def _pieces(self, most: int) -> bytes:
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDONLY)
        try:
            found = more = os.pread(self._descriptor, _PIECE_BYTES, 0)
            while most > 1 and len(more) > _SHORT_BYTES:
                more = os.pread(self._descriptor, _PIECE_BYTES, len(found))
                found, most = found + more, most - 1
        except OSError:
            self.close()  # the next reading may open it anew
            raise
        if self._descriptor > _HIGHEST:
            self.close()
        return found

    def close(self) -> None:
        """Let go of it; the next reading opens it anew."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __del__(self) -> None:
        with contextlib.suppress(OSError):
            self.close()
