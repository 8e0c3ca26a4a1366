"""Whatever dies, a held model leaves within the lease, and `close` ends in time."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest
from hold_tools import SMALL, Holds, is_gone, left_s, pause, step, threads

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.recorded import RecordedServer, ollama
from tests.sandbox.sandbox_tools import eventually, start_python, wait_for_line

LEASE_S = 2.0
HOLDER = f"""
import time
from lifecycle_widgets.agent.hold import Hold
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.server import Server
server, hold = Server({{url!r}}), Hold(lease_s={LEASE_S})
for _ in range(2):
    sent = hold.asked(server, "{SMALL}", KeepAlive(0), {{{{"num_predict": 2}}}})
    messages = [{{{{"role": "user", "content": "Hello"}}}}]
    server.client.chat("{SMALL}", messages, options={{{{"num_predict": 2}}}},
                       keep_alive=sent.to_json())
    hold.ended(server, "{SMALL}")
print("between two steps")
time.sleep(60)
"""


def test_killed_between_two_steps_the_model_leaves_within_the_lease(
    holds: Holds, server: Server
) -> None:
    process = start_python(HOLDER.format(url=server.url))
    try:
        wait_for_line(process, "between two steps")
        pause(LEASE_S + 0.5)  # longer than a lease that nobody renews
        assert left_s(server) > 0
    finally:
        process.send_signal(signal.SIGKILL)
        died_s = time.monotonic()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()
    assert is_gone(server, LEASE_S + 2)
    assert time.monotonic() - died_s < LEASE_S + 2


def test_a_server_that_hangs_or_is_gone_ends_in_a_sentence(holds: Holds) -> None:
    with Sandbox(models=[SMALL]) as box:
        server, hung, gone = Server(box.url), holds(lease_s=2), holds(lease_s=2)
        step(hung, server)
        psutil.Process(box.pid).suspend()
        began_s = time.monotonic()
        (said,) = hung.close(1)
        assert time.monotonic() - began_s < 1.5
        assert said.startswith((f"{SMALL} was not released (", f"Whether {SMALL} was"))
        assert said.endswith("It leaves 2 s after its last request at the latest.")
        assert eventually(lambda: not threads(), 1)
        # a request that is about to be sent waits for the look, but not for long
        began_s = time.monotonic()
        assert gone.asked(server, SMALL, KeepAlive(0), {}) == KeepAlive(2)
        assert time.monotonic() - began_s < 3
        gone.ended(server, SMALL)
        os.kill(box.pid, signal.SIGKILL)
        pause(1)  # renewals fail
        (said,) = gone.close(5)
        assert said.startswith(f"{SMALL} was not released (")
        assert eventually(lambda: not threads(), 3)


@pytest.mark.parametrize(("chosen", "sent"), [(0, ["/api/generate"]), ("5s", [])])
def test_a_server_that_does_not_tell_what_is_in_memory(
    holds: Holds, chosen: str | int, sent: list[str]
) -> None:
    with RecordedServer(ollama(ps=None)) as recorded:
        server, hold = Server(recorded.url), holds()
        assert hold.asked(server, "tiny:1b", KeepAlive(chosen), {}) == KeepAlive("20s")
        hold.ended(server, "tiny:1b")
        said = hold.close(5)
        assert [r.path for r in recorded.requests if r.method == "POST"] == sent
        why = f"{recorded.url} does not tell whether it is there."
        stays = f"tiny:1b stays in memory for 20 s rather than 5s: {why}"
        assert said == (() if sent else (stays,))
