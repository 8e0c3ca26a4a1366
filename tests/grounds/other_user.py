"""Another user of this machine: commands of a test that runs as root, run as ``nobody``.

What they need may lie where that user cannot go (a Python below /root, say). They run in a mount
namespace of their own, in which the folders that bar the way are replaced by empty ones with the
needed ones in them. Nothing outside of that namespace changes.
"""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lifecycle_widgets.sandbox.cache import cache_dir
from tests.grounds.programs import need
from tests.sandbox.sandbox_tools import ROOT, environment

USER = "nobody"


def as_other_user(command: list[str], home: Path, before: str = "") -> list[str]:
    """The command as that user, who can read this Python, this repository and the cache.

    Parameters
    ----------
    home:
        A folder for it alone, which it may write.
    before:
        Lines of sh that root runs in the namespace first.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can run something as another user")
    need("unshare", "setpriv", "mount")
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("no mount namespace can be made here")
    os.chown(home, *_ids())
    script = "\n".join(["set -e", *_opened(home), before, 'exec "$@"'])
    drop = ["setpriv", "--reuid", USER, "--regid", "nogroup", "--clear-groups"]
    drop += ["--pdeathsig", "KILL", "--"]
    return ["unshare", "-m", "--", "sh", "-c", script, "sh", *drop, *command]


def other_environment(home: Path, **changes: str | None) -> dict[str, str]:
    """The environment of that user."""
    own = {"HOME": str(home), "TMPDIR": str(home), "LIFECYCLE_WIDGETS_CACHE": str(cache_dir())}
    return environment(**{**own, **changes})


def _ids() -> tuple[int, int]:
    import pwd

    entry = pwd.getpwnam(USER)
    return entry.pw_uid, entry.pw_gid


def _opened(home: Path) -> list[str]:
    """Lines of sh that open the way to what is needed, and to ``home``."""
    places = {Path(p).resolve() for p in (sys.prefix, sys.base_prefix, ROOT, cache_dir(), home)}
    lines: list[str] = []
    barred = {bar for place in places if (bar := _bar(place)) is not None}
    for number, bar in enumerate(sorted(barred)):
        inside = sorted(p for p in places if p.is_relative_to(bar))
        inside = [p for p in inside if not any(p != o and p.is_relative_to(o) for o in inside)]
        kept = [f"/run/lw-kept-{os.getpid()}-{number}-{i}" for i, _ in enumerate(inside)]
        lines.append("mount -t tmpfs -o mode=755 tmpfs /run" if not lines else ":")
        for place, keep in zip(inside, kept, strict=True):
            lines.append(f"mkdir -p {keep} && mount --bind {shlex.quote(str(place))} {keep}")
        lines.append(f"mount -t tmpfs -o mode=755 tmpfs {shlex.quote(str(bar))}")
        for place, keep in zip(inside, kept, strict=True):
            where = shlex.quote(str(place))
            lines.append(f"mkdir -p {where} && mount --bind {keep} {where}")
    return lines


def _bar(place: Path) -> Path | None:
    """The first folder on the way there that others may not enter."""
    for folder in (*reversed(place.parents), place):
        if not folder.stat().st_mode & stat.S_IXOTH:
            return folder
    return None
