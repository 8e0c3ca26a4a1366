"""A file, opened: how it begins, and its text in blocks of whole lines, whatever it holds."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from lifecycle_widgets.advisor.workload.faults import WorkloadError

STDIN = "-"
_HEAD = 1 << 16
_BLOCK = _LONGEST = 1 << 20
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


@dataclass
class Opened:
    """An open file, or what comes by a pipe.

    Parameters
    ----------
    name:
        What it is called, for sentences.
    path:
        Where it lies; None: it comes by standard input, or is packed.
    file:
        What is left of it to read.
    head:
        How it begins, at most 64 KiB.
    """

    name: str
    path: Path | None
    file: IO[bytes]
    head: bytes = b""

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """All of it, a megabyte or so at a time: the number of the first line, and whole lines.

        Raises
        ------
        WorkloadError
            For a line of more than a megabyte, and a packed file that is cut.
        """
        rest, line, data = b"", 1, self.head.removeprefix(_BOM)
        while data:
            data = rest + data
            end = data.rfind(b"\n") + 1
            if end:
                yield line, data[:end]
                line += data.count(b"\n", 0, end)
            rest = data[end:]
            if len(rest) > _LONGEST:
                raise WorkloadError(f"{self.name}, line {line}: it is longer than a megabyte.")
            data = self.read(_BLOCK)
        if rest:
            yield line, rest

    def texts(self) -> Iterator[tuple[int, str]]:
        """The same as text.

        Raises
        ------
        WorkloadError
            Also for what is no text, or not in UTF-8.
        """
        for line, data in self.blocks():
            try:
                text = data.decode("utf-8")
            except UnicodeDecodeError as fault:
                at = line + data.count(b"\n", 0, fault.start)
                raise WorkloadError(f"{self.name}, line {at}: it is not in UTF-8.") from None
            if "\0" in text:
                at = line + text.count("\n", 0, text.index("\0"))
                raise WorkloadError(f"{self.name}, line {at}: it is no text.")
            yield line, text

    def read(self, size: int) -> bytes:
        """Up to so many bytes; fewer only at the end."""
        parts = []
        try:
            while size and (part := self.file.read(size)):
                parts.append(part)
                size -= len(part)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise WorkloadError(f"{self.name} is damaged or cut off: it does not unpack.") from None
        return b"".join(parts)


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[Opened]:
    """A file for reading, unpacked where it is packed by gzip; "-" is standard input.

    Raises
    ------
    WorkloadError
        Where there is none, it is a folder or cannot be read.
    """
    where = None if os.fspath(path) == STDIN else Path(path).expanduser()
    name = "standard input" if where is None else str(path)
    try:
        with open(0 if where is None else where, "rb", closefd=where is not None) as file:
            is_packed = file.peek(len(_GZIP)).startswith(_GZIP)
            inner = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if is_packed else file
            found = Opened(name, None if is_packed else where, inner)
            found.head = found.read(_HEAD)
            yield found
    except FileNotFoundError:
        raise WorkloadError(f"There is no file {name}.") from None
    except IsADirectoryError:
        raise WorkloadError(f"{name} is a folder. Give a file.") from None
    except OSError as fault:
        raise WorkloadError(f"{name} cannot be read: {fault.strerror or fault}.") from None
