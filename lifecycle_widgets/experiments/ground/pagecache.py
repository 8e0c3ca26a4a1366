"""What of a file is in the page cache, and how to have it read from the disk again. Linux only."""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

import psutil

_PAGE_BYTES = mmap.PAGESIZE


def cached_fraction(path: str | Path) -> float | None:
    """The part of a file that is in the page cache, 0 to 1; None when it cannot be told.

    Asks ``mincore(2)``, which reads nothing in.

    Examples
    --------
    >>> cached_fraction("/no/such/file") is None
    True
    """
    if not psutil.LINUX:
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        size = os.fstat(fd).st_size
        if not size:
            return None
        place = libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, fd, 0)
        if place == ctypes.c_void_p(-1).value:
            return None
        pages = (size + _PAGE_BYTES - 1) // _PAGE_BYTES
        told = (ctypes.c_ubyte * pages)()
        failed = libc.mincore(ctypes.c_void_p(place), ctypes.c_size_t(size), told)
        libc.munmap(ctypes.c_void_p(place), ctypes.c_size_t(size))
        # the lowest bit says that the page is in memory; the others are not defined
        return None if failed else sum(byte & 1 for byte in bytes(told)) / pages
    finally:
        os.close(fd)


def forget(path: str | Path) -> bool:
    """Have the kernel drop a file from the page cache; whether that was done.

    ``posix_fadvise(POSIX_FADV_DONTNEED)`` needs no rights beyond reading the file. Pages that a
    process has mapped, and filesystems in memory, stay.
    """
    if not hasattr(os, "posix_fadvise"):
        return False
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        os.fsync(fd)  # pages that are not on the disk yet cannot be dropped
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError:
        return False
    finally:
        os.close(fd)
    left = cached_fraction(path)
    return left is not None and left < 0.05
