"""The shortage's tests once more, as a user without rights whose session systemd manages.

A small Debian with systemd (made by debootstrap from the mirror that this machine uses) is booted
on User Mode Linux. There a user logs in, as over ssh, and may write to no control group; and one
of the user's own services runs, as a desktop's programs do, which may divide the user's groups. And
there `lifecycle-lab watch` is installed as a service of the user's (`watch_service`).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import watch_service
from user_mode_linux import WHY_NOT, boot, make_disk

ROOT = Path(__file__).parents[3]
TOOLS = shutil.which("debootstrap") and shutil.which("apt-get")
PACKAGES = (
    "systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,python3-psutil,python3-pytest"
)
WAY = """
from lifecycle_widgets.experiments.shortage.shortage import Shortage
with Shortage(1 << 30) as shortage: print("WAY:", shortage.way)
"""
# as root, on the console: both tests as the user, and off
GO = """#!/bin/bash
exec > /dev/console 2>&1
mkdir /data; mount /dev/ubdb /data; chmod 777 /data
for _ in $(seq 60); do test -S /run/user/1000/bus && break; sleep 0.5; done
bus=DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus
dir=XDG_RUNTIME_DIR=/run/user/1000
echo LOGIN; su - tester -c "env $bus $dir /opt/run"
echo DESKTOP; runuser -u tester -- env $bus $dir systemd-run --user --pipe --wait -q \
    --setenv=$bus --setenv=$dir /opt/run
echo WATCH; su - tester -c "env $bus $dir /opt/watch"
echo END
systemctl poweroff --force --force
"""
RUN = """#!/bin/bash
export TMPDIR=/data PYTHONPATH=/opt/src PYTHONDONTWRITEBYTECODE=1
cd /opt/src
python3 way.py
python3 -m pytest -q -p no:cacheprovider --noconftest -c /dev/null --rootdir=. -rs test_shortage.py
"""
SERVICE = """[Unit]
After=user@1000.service systemd-logind.service
[Service]
Type=oneshot
ExecStart=/opt/go
"""


def mirror() -> list[str]:
    """The first of apt's sources: its release and its address."""
    form = ["--format", "$(CODENAME) $(SITE)", "Created-By: Packages"]
    told = subprocess.run(["apt-get", "indextargets", *form], capture_output=True, text=True)
    return (told.stdout.splitlines() or [""])[0].split()


def debian(kept: Path) -> Path:
    """An archive of it; made once and kept between test runs, for it takes a minute."""
    source = mirror()
    if not source:
        pytest.skip("no Debian can be made here: apt has no sources")
    release, site = source
    archive = kept / f"{release}-{hashlib.sha256(PACKAGES.encode()).hexdigest()[:8]}.tar"
    if archive.exists():
        return archive
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "debian"
        command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", release]
        done = subprocess.run(
            [*command, str(root), site], capture_output=True, text=True, timeout=400
        )
        if done.returncode:
            pytest.skip(f"no Debian can be made here: {done.stdout[-500:]}")
        subprocess.run(["chroot", root, "useradd", "-m", "-s", "/bin/bash", "tester"], check=True)
        part = archive.with_suffix(f".{os.getpid()}")
        skipped = ["--exclude=./var/cache/apt/*", "--exclude=./proc/*", "--exclude=./sys/*"]
        subprocess.run(["tar", "-C", root, *skipped, "-cf", part, "."], check=True)
    part.rename(archive)
    return archive


def make_root(root: Path, archive: Path) -> None:
    """Unpack it, with our code in it, and what is to be done."""
    root.mkdir()
    subprocess.run(["tar", "-C", root, "--numeric-owner", "-xpf", archive], check=True)
    (root / "var/lib/systemd/linger").mkdir(parents=True, exist_ok=True)
    (root / "var/lib/systemd/linger/tester").touch()
    (root / "etc/systemd/system/go.service").write_text(SERVICE)
    code = root / "opt/src"
    shutil.copytree(ROOT / "lifecycle_widgets", code / "lifecycle_widgets")
    shutil.copy(ROOT / "tests/experiments/shortage/test_shortage.py", code)
    (code / "way.py").write_text(WAY)
    watch_service.put_into(root / "opt")
    for name, text in (("go", GO), ("run", RUN)):
        (root / "opt" / name).write_text(text)
        (root / "opt" / name).chmod(0o755)
    subprocess.run(["chmod", "-R", "a+rX", root / "opt"], check=True)


@pytest.mark.slow
@pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
@pytest.mark.skipif(
    not TOOLS or os.getuid() != 0,
    reason="no debootstrap, or no rights for it; on Debian, as root: apt install debootstrap",
)
def test_as_a_user_of_systemd(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    assert pytestconfig.cache is not None
    make_root(tmp_path / "debian", debian(Path(pytestconfig.cache.mkdir("debian"))))
    root = make_disk(tmp_path / "root", 1_400_000_000, tmp_path / "debian")
    shutil.rmtree(tmp_path / "debian")
    data = make_disk(tmp_path / "data", 1_400_000_000)
    told = boot([root, data], "root=/dev/ubda", "systemd.wants=go.service")
    assert "END" in told, told[-3000:]
    login, rest = told.split("LOGIN", 1)[1].split("DESKTOP", 1)
    desktop, watched = rest.split("WATCH", 1)
    assert "WAY: systemd user scope" in login, login
    assert "WAY: control groups v2" in desktop, desktop
    for report in (login, desktop):
        assert not re.search(r"\d+ (failed|error)", report), report
        passed = re.search(r"(\d+) passed", report)
        assert passed is not None, report
        assert int(passed[1]) >= 7, report
    watch_service.verify(watched)
