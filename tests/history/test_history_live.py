"""With a real Ollama: runs, others' requests and stays are kept, and nothing that is text."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from lifecycle_widgets.agent import AgentRun, RunTimedOut, run_agent
from lifecycle_widgets.agent.record.ended import listen_to_runs
from lifecycle_widgets.history import History
from lifecycle_widgets.monitor import OTHERS, Monitor
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.griptape_tools import CLOCK, clock
from tests.sandbox.sandbox_tools import eventually
from tests.scripted import SCRIPTED, SMALL, Script

SECRET = "swordfish"


def bytes_of(path: Path) -> bytes:
    """The file with all that SQLite keeps beside it."""
    return b"".join(p.read_bytes() for p in path.parent.iterdir() if p.name.startswith(path.name))


_TABLES = "SELECT count(*) FROM sqlite_master"


def test_no_text_is_ever_kept(history: History, box: Sandbox, script: Script) -> None:
    """A marker in the prompt, a rule, what was said before, a tool's argument, and the answer."""
    server, began_at = Server(box.url), datetime.now().astimezone()
    call = {**CLOCK, "arguments": {"values": {SECRET: SECRET}}}
    script(
        {"text": SECRET},  # to /api/generate; and the turn before the prompt
        {"thinking": f"Hm, {SECRET}.", "tool_calls": [call]},
        {"text": f"The word is {SECRET}."},
    )
    with Monitor.shared(server) as monitor, history.keep(monitor) as keeping:
        run = AgentRun(
            f"Say {SECRET}.",
            model=SCRIPTED,
            server=server,
            keep_alive=30,
            tools=[clock()],
            rules=[f"Never say {SECRET}."],
            history=[(SECRET, SECRET)],
        )
        done = run.start().wait(60)
        assert SECRET in done.answer
        failed = AgentRun(
            SECRET, model=SMALL, server=server, options={"num_predict": 4}, timeout_s=0.001
        )
        failed.start()
        assert SECRET in failed.prompt
        with pytest.raises(RunTimedOut):
            failed.wait(60)
        body = {"model": SCRIPTED, "prompt": SECRET, "stream": False, "system": SECRET}
        assert SECRET in httpx.post(f"{box.url}/api/generate", json=body, timeout=60).text
        assert eventually(lambda: any(r.whose == OTHERS for r in monitor.requests()), 10.0)
        assert keeping.told is None
        assert eventually(history.path.exists, 20.0)
        reads = sqlite3.connect(history.path)  # so that SQLite's log stays when it is closed
        assert eventually(lambda: reads.execute(_TABLES).fetchone()[0] > 0, 20.0)
        reads.execute("SELECT count(*) FROM requests").fetchone()
    assert len([p for p in history.path.parent.iterdir() if p.stat().st_size]) == 3
    assert SECRET.encode() not in bytes_of(history.path)
    reads.close()
    assert SECRET.encode() not in bytes_of(history.path)
    assert SECRET not in repr(history) + history.runs().to_csv() + history.requests().to_csv()
    runs = history.runs(server=server)
    assert runs["ended"].tolist() == ["done", "timed out"]
    assert runs["requests"][0] == len(done.steps) == 2
    assert runs["total_s"][0] == pytest.approx(done.timings.total_s)
    asked = history.requests(model=SCRIPTED, since=began_at)  # the server had other tests
    # the one that timed out, of the same weights, may have been sent or not
    answered = asked[(asked["kind"] == "chat") & asked["is_broken_off"].eq(False)]
    assert answered["whose"].tolist() == ["ours", "ours"]
    assert "another client" in asked["whose"].tolist()
    assert not history.residencies(model=SCRIPTED).empty
    assert history.starts(server)["version"].tolist() == [server.version]


def test_a_run_is_there_as_soon_as_it_is_waited_for(
    history: History, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    unlisten = listen_to_runs(lambda run: 1 / 0)  # another one's fault
    with Monitor.shared(server) as monitor, history.keep(monitor):
        run_agent("Hi", model=SMALL, server=server, keep_alive=0, options={"num_predict": 2})
    unlisten()
    assert caplog.text.count("A listener to ended runs failed") == 1
    [kept] = history.runs(server=server).to_dict("records")
    assert kept["server"] == "sandbox"
    assert kept["ended"] == "done"
    assert history.requests(server="sandbox")["whose"].tolist() == ["ours"]
    run_agent("Hi", model=SMALL, server=server, keep_alive=0, options={"num_predict": 2})
    assert len(history.runs()) == 1  # nobody keeps it any more
