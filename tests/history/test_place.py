"""Where the history lies, how it shows itself, and what a server is called in it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from lifecycle_widgets.history import History, HistoryError, is_off
from lifecycle_widgets.history.file.whose import name_for, name_of
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server
from tests.history.history_tools import Watching, request

VARIABLE = "LIFECYCLE_WIDGETS_HISTORY"


def test_it_lies_in_the_folder_for_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    assert History().path == Path(
        platformdirs.user_data_dir("lifecycle_widgets", appauthor=False), "history.sqlite"
    )


def test_another_file_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine.sqlite"))
    assert History().path == tmp_path / "mine.sqlite"
    assert History(tmp_path / "other.sqlite").path == tmp_path / "other.sqlite"
    assert not is_off()


def test_it_can_be_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, "off")
    assert is_off()
    with pytest.raises(HistoryError, match="LIFECYCLE_WIDGETS_HISTORY is off"):
        History()
    assert History(tmp_path / "named").path.name == "named"


def test_it_says_where_it_is_how_big_and_what_is_never_in_it(history: History) -> None:
    assert "nothing is kept yet" in repr(history)
    assert not history.path.exists()  # to look makes nothing
    assert history.size_bytes == 0
    watching = Watching()
    with history.keep(watching):
        watching.see(request(20.0))
    for shown in (repr(history), history._repr_html_()):
        assert str(history.path) in shown
        assert "MB, since 20" in shown
        assert "no prompt, answer, rule" in shown
    assert history.size_bytes > 10_000


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_it_is_for_the_person_alone(history: History) -> None:
    with history.keep(Watching()):
        pass
    assert history.path.stat().st_mode & 0o077 == 0


def test_to_watch_needs_no_pandas() -> None:
    code = "import lifecycle_widgets as lw, sys; lw.History('h').span('a'); print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert not {"pandas", "griptape", "numba"} & set(loaded)


def test_a_server_has_one_name() -> None:
    machine = socket.gethostname()
    same = ("localhost", "127.0.0.1:11434", "[::1]", "0.0.0.0")
    assert {name_for(one) for one in same} == {f"http://localhost:11434 on {machine}"}
    assert name_for("127.0.0.5:80") == f"http://127.0.0.5:80 on {machine}"
    assert name_for("https://me:secret@example.com/ollama") == "https://example.com:443/ollama"
    for told in (name_for("localhost"), "http://localhost:11434 on another machine", "sandbox"):
        assert name_for(told) == told  # as it stands in a table
    with pytest.raises(TypeError, match="Give a Server, an address"):
        name_for(7)  # type: ignore[arg-type]


def test_a_sandbox_is_the_sandbox_whatever_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("http://127.0.0.1:50001", "http://127.0.0.1:50002"):
        monkeypatch.setenv(SANDBOX_URL_VARIABLE, url)
        assert name_of(Server(url)) == "sandbox"


def test_the_same_address_on_two_machines_is_two_servers(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container and its host: both have an Ollama at localhost."""
    for machine in ("host", "container"):
        monkeypatch.setattr(socket, "gethostname", lambda machine=machine: machine)
        watching = Watching(Server("localhost:5"))
        with history.keep(watching):
            watching.see(request(20.0))
    assert list(history.requests()["server"]) == [
        f"http://localhost:5 on {machine}" for machine in ("host", "container")
    ]
    monkeypatch.setattr(socket, "gethostname", lambda: "host")
    assert len(history.requests(server="localhost:5")) == 1
