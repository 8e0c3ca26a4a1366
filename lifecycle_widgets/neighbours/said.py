"""What a notice is made of: words, sizes and processes, said so that everybody can take them."""

from __future__ import annotations

import getpass
import math
import os
from functools import cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil

_MOST_LETTERS = 200


def short(words: object) -> str:
    """Somebody else's words: one short line of letters that every message can carry."""
    line = " ".join(str(words)[: 4 * _MOST_LETTERS].encode("utf-8", "replace").decode().split())
    return "".join(letter for letter in line if letter.isprintable())[:_MOST_LETTERS]


def size(value: Any) -> int:
    """Bytes, of which a process has none below 0 and no more than the machine."""
    number = float(value)
    if math.isnan(number):
        raise ValueError("not a size")
    return int(max(0.0, min(number, float(psutil.virtual_memory().total))))


def without_password(url: str) -> str:
    """An address, without what opens it."""
    try:
        parts = urlsplit(url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))
    except ValueError:
        return ""


def begin_of(pid: int) -> float:
    """When a process began; 0 where that is not told."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0


@cache
def pid_space() -> str:
    """Of which numbers of processes one speaks: a container has its own."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


@cache
def own_name() -> str:
    """The name of this user; empty where there is none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


def user_name(uid: int) -> str:
    """The name of a user, else the number."""
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError, OverflowError):
        return str(uid)
