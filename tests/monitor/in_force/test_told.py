"""What a server was started with: environments, systemd's answers, Docker's and Podman's."""

from __future__ import annotations

import json
import math
import os
import stat
from datetime import datetime, timezone
from pathlib import Path

import pytest

from lifecycle_widgets.monitor.in_force.container import (
    container_in,
    publishing,
    read_container,
    told_by_container,
)
from lifecycle_widgets.monitor.in_force.environment import default_keep_alive_s, of_pairs
from lifecycle_widgets.monitor.in_force.unit import read_unit, told_by_unit, unit_in

ID = "4e5f" * 16
INSPECTED = [
    {
        "Id": ID,
        "State": {"Pid": 4242, "StartedAt": "2026-11-20T10:00:00.123456789Z"},
        "Config": {
            "Image": "ollama/ollama",
            "Env": ["PATH=/bin", "OLLAMA_HOST=0.0.0.0:11434", "OLLAMA_KEEP_ALIVE=24h", None],
        },
    }
]


# --- environments --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (None, 300.0), ("", 300.0), ("40s", 40.0), (' "1h30m" ', 5400.0), ("0", 0.0), ("90", 90.0),
        ("-1", math.inf), ("-5m", math.inf), ("1.5h", 5400.0), ("5 m", 300.0), ("1d", 300.0),
        ("forever", 300.0), ("9223372037", math.inf), ("1" * 30, 300.0), ("+7", 7.0),
    ],
)  # fmt: skip
def test_the_default_is_read_as_ollama_reads_it(said: str | None, seconds: float) -> None:
    environment = {} if said is None else {"OLLAMA_KEEP_ALIVE": said}
    assert default_keep_alive_s(environment) == seconds


def test_seconds_that_wrap_around_in_64_bits_do_so_here() -> None:
    assert default_keep_alive_s({"OLLAMA_KEEP_ALIVE": "18446744074"}) == pytest.approx(0.29, 0.01)


def test_what_matters_is_shown_and_what_is_secret_is_not() -> None:
    shown = of_pairs(
        [
            "HOME=/root", "OLLAMA_KEEP_ALIVE=40s", "OLLAMA_API_KEY=k1", "OLLAMA_REGISTRY_TOKEN=k2",
            "CUDA_VISIBLE_DEVICES=0,1", "HIP_VISIBLE_DEVICES=", "GGML_X=1", "LLAMA_ARG_API_KEY=k3",
            "OLLAMA_REMOTES=https://me:k4@example.com", "AWS_SECRET_ACCESS_KEY=k5", "OLLAMA_AUTH=1",
            "OLLAMA_PASSWORD=k6", "ROCR_VISIBLE_DEVICES=1", "broken", "GPU_DEVICE_ORDINAL=0",
        ]
    )  # fmt: skip
    assert not any(f"k{number}" in value for value in shown.values() for number in range(1, 7))
    assert shown == {
        "CUDA_VISIBLE_DEVICES": "0,1",
        "GGML_X": "1",
        "GPU_DEVICE_ORDINAL": "0",
        "HIP_VISIBLE_DEVICES": "",
        "LLAMA_ARG_API_KEY": "***",
        "OLLAMA_API_KEY": "***",
        "OLLAMA_AUTH": "1",
        "OLLAMA_KEEP_ALIVE": "40s",
        "OLLAMA_PASSWORD": "***",
        "OLLAMA_REGISTRY_TOKEN": "***",
        "OLLAMA_REMOTES": "https://***@example.com",
        "ROCR_VISIBLE_DEVICES": "1",
    }


# --- systemd -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        ("0::/system.slice/ollama.service\n", ("ollama.service", False)),
        ("12:pids:/\n1:name=systemd:/system.slice/ollama@2.service", ("ollama@2.service", False)),
        (
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/ollama.service",
            ("ollama.service", True),
        ),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.scope", None),
        ("0::/\n", None),
        ("", None),
    ],
)
def test_the_unit_is_in_the_control_group(cgroup: str, unit: tuple[str, bool] | None) -> None:
    assert unit_in(cgroup) == unit


def test_what_a_unit_was_given_is_read_with_its_files(tmp_path: Path) -> None:
    file = tmp_path / "ollama.env"
    file.write_text(
        "# ours\n; too\nOLLAMA_KEEP_ALIVE='1h'\nOLLAMA_ORIGINS=a,\\\nb\nPATH=/x\nno pair\n"
    )
    (tmp_path / "more-1.env").write_text("OLLAMA_DEBUG=1\n")
    told = read_unit(
        'MainPID=7\nEnvironment=OLLAMA_KEEP_ALIVE=5m "OLLAMA_NOTE=two words" PATH=/bin\n'
        f"EnvironmentFiles={file} (ignore_errors=yes)\n"
        f"EnvironmentFiles={tmp_path / 'none'} (ignore_errors=yes)\n"
        f"EnvironmentFiles={tmp_path / 'more-*.env'} (ignore_errors=yes)\n"
    )
    assert told.environment == {
        "OLLAMA_DEBUG": "1",
        "OLLAMA_KEEP_ALIVE": "1h",  # a file counts more
        "OLLAMA_NOTE": "two words",
        "OLLAMA_ORIGINS": "a,b",
    }
    assert (told.source, told.missing) == ("systemd unit", None)
    unreadable = read_unit(f"Environment=\nEnvironmentFiles={tmp_path} (ignore_errors=no)")
    assert unreadable.environment == {}
    assert unreadable.missing == f"What {tmp_path} says to its unit cannot be read."


def test_systemds_quotation_marks_are_taken_off() -> None:
    """As systemd 252 wrote it, of a unit with these values."""
    told = read_unit(
        r"""Environment=OLLAMA_HOST=0.0.0.0 "OLLAMA_ORIGINS=a b,c" "OLLAMA_X=it\"s \$HOME" """
        r""""OLLAMA_Y=back\\slash" OLLAMA_Z="""
    )
    assert told.environment == {
        "OLLAMA_HOST": "0.0.0.0",
        "OLLAMA_ORIGINS": "a b,c",
        "OLLAMA_X": 'it"s $HOME',
        "OLLAMA_Y": "back\\slash",
        "OLLAMA_Z": "",
    }
    assert read_unit('Environment="OLLAMA_X=1').environment == {}  # cut off: nothing is guessed


def program(folder: Path, name: str, script: str) -> None:
    """A program of that name, first on PATH: it answers as the real one was seen to."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho \"$*\" >> '{folder}/asked'\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    return tmp_path


def test_systemd_counts_only_for_the_main_process_of_a_unit(programs: Path) -> None:
    program(programs, "systemctl", "echo MainPID=7; echo Environment=OLLAMA_KEEP_ALIVE=-1")
    told = told_by_unit(7, "ollama.service", is_users=False)
    assert told is not None
    assert told.environment == {"OLLAMA_KEEP_ALIVE": "-1"}
    assert told_by_unit(8, "ollama.service", is_users=True) is None
    first, second = (programs / "asked").read_text().splitlines()
    assert first == "show -p MainPID -p Environment -p EnvironmentFiles -- ollama.service"
    assert second == f"--user {first}"
    program(programs, "systemctl", "echo 'System has not been booted with systemd' >&2; exit 1")
    assert told_by_unit(7, "ollama.service", is_users=False) is None


# --- containers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cgroup",
    [
        f"0::/system.slice/docker-{ID}.scope",
        f"12:cpuset:/docker/{ID}\n1:name=systemd:/docker/{ID}",
        f"0::/machine.slice/libpod-{ID}.scope/container",
        f"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope",
    ],
)
def test_the_container_is_in_the_control_group(cgroup: str) -> None:
    assert container_in(cgroup) == ID
    assert container_in(cgroup.replace(ID, ID[:-1])) is None


@pytest.mark.parametrize(
    ("ports", "is_found"),
    [
        ("0.0.0.0:11434->11434/tcp, [::]:11434->11434/tcp", True),
        ("127.0.0.1:11430-11440->11430-11440/tcp", True),
        ("0.0.0.0:8080->11434/tcp", False),
        ("11434/tcp", False),
        ("", False),
    ],
)
def test_the_container_that_publishes_the_port(ports: str, is_found: bool) -> None:
    listed = f"aaaa 0.0.0.0:80->80/tcp\nbbbb {ports}\n"
    assert publishing(listed, 11434) == ("bbbb" if is_found else None)
    assert publishing(f"{listed}cccc {ports}\n", 11434) is None  # which of the two is not known


@pytest.mark.parametrize("answer", ["", "[]", "null", '[{"Config": null}]', "[1]", "{}"])
def test_no_container_is_none(answer: str) -> None:
    assert read_container(answer) is None


def test_a_container_is_found_by_its_port_and_asked(programs: Path) -> None:
    failing = "echo 'Cannot connect to the Docker daemon' >&2; exit 1"
    (programs / "answer").write_text(json.dumps(INSPECTED))
    program(programs, "docker", failing)
    program(
        programs,
        "podman",
        f"[ \"$1\" = ps ] && echo '4e5f 0.0.0.0:11434->11434/tcp' || cat '{programs}/answer'",
    )
    told = told_by_container(None, 11434)
    assert told is not None
    assert told.environment == {"OLLAMA_HOST": "0.0.0.0:11434", "OLLAMA_KEEP_ALIVE": "24h"}
    assert told.source == "container"
    assert told.started_at == datetime(2026, 11, 20, 10, 0, 0, 123457, tzinfo=timezone.utc)
    assert told_by_container(None, 11435) is None
    assert told_by_container(ID, 11435) == told  # by its number, whatever the port
    asked = (programs / "asked").read_text().splitlines()
    assert asked[:3] == ["ps --format {{.ID}} {{.Ports}}"] * 2 + ["inspect 4e5f"]


def test_another_machines_containers_are_not_asked_by_a_port(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "docker", "echo '4e5f 0.0.0.0:11434->11434/tcp'")
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    assert told_by_container(None, 11434) is None
    assert not (programs / "asked").exists()
