"""Monitor: its thread, and what it makes of a real Ollama."""

from __future__ import annotations

import http.server
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from itertools import pairwise

import psutil
import pytest

from lifecycle_widgets.monitor import Monitor, Residency, Sample
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.recorded import RecordedServer, ollama, resident

MODEL, LARGER = "smollm2:135m", "smollm2:135m-f16"
NOBODY = "127.0.0.1:9"  # the discard port: no Ollama there

Eventually = Callable[..., None]
Threads = Callable[[], list[str]]


def left(monitor: Monitor) -> list[tuple[str, str | None]]:
    return [(stay.model, stay.why) for stay in monitor.residencies()]


def is_resident(monitor: Monitor) -> bool:
    """True when the last sample shows the model, with a runner."""
    sample = monitor.latest
    return bool(sample and sample.residents and any(r.model for r in sample.runners or ()))


def last(monitor: Monitor) -> Residency:
    return monitor.residencies()[-1]


# --- the thread -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong", [{"interval_s": 0.1}, {"interval_s": float("nan")}, {"history_s": 0.2}]
)
def test_impossible_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is"):
        Monitor(Server(NOBODY), **wrong)


def test_one_thread_which_ends_and_starts_again(eventually: Eventually, threads: Threads) -> None:
    monitor = Monitor(Server(NOBODY))
    assert (monitor.latest, monitor.samples, monitor.is_running) == (None, (), False)
    monitor.stop()  # harmless
    with monitor as same:
        assert same is monitor.start()
        assert monitor.is_running
        assert threads().count("lifecycle-monitor") == 1
        eventually(lambda: monitor.latest, "a first sample")
    assert not monitor.is_running
    assert threads().count("lifecycle-monitor") == 0
    seen = len(monitor.samples)
    with monitor:
        eventually(lambda: len(monitor.samples) > seen, "a sample after a new start")
    assert threads().count("lifecycle-monitor") == 0


def test_a_listener_may_stop_it(eventually: Eventually, threads: Threads) -> None:
    monitor = Monitor(Server(NOBODY))
    monitor.listen(lambda sample: monitor.stop())
    monitor.start()
    eventually(lambda: threads().count("lifecycle-monitor") == 0, "the thread has ended")
    assert len(monitor.samples) == 1


def test_never_faster_than_its_interval_and_a_history_of_fixed_length(
    eventually: Eventually,
) -> None:
    times_s: list[float] = []
    with Monitor(Server(NOBODY), history_s=1.5) as monitor:
        monitor.listen(lambda sample: times_s.append(sample.t_s))
        eventually(lambda: len(times_s) >= 5, "five samples")
    assert min(after - one for one, after in pairwise(times_s)) > 0.499
    assert [sample.t_s for sample in monitor.samples] == times_s[-3:]


def test_a_listener_that_fails_is_logged_once_and_disturbs_nobody(
    eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Sample] = []

    def failing(sample: Sample) -> None:
        raise RuntimeError("the chart has gone")

    monitor = Monitor(Server(NOBODY))
    monitor.listen(failing)
    unlisten = monitor.listen(heard.append)
    with caplog.at_level(logging.ERROR, logger="lifecycle_widgets"), monitor:
        eventually(lambda: len(heard) >= 3, "three samples heard")
        unlisten()
        unlisten()  # harmless
        count = len(monitor.samples)
        eventually(lambda: len(monitor.samples) > count + 1, "samples after that")
    assert len(heard) <= count + 1
    assert [record.name for record in caplog.records] == ["lifecycle_widgets"]
    assert "the chart has gone" in caplog.text
    assert "Traceback" in caplog.text


def test_a_listener_that_hangs_holds_up_nobody(
    eventually: Eventually, caplog: pytest.LogCaptureFixture, threads: Threads
) -> None:
    goes_on = threading.Event()
    begun: list[Sample] = []
    heard: list[Sample] = []

    def hanging(sample: Sample) -> None:
        begun.append(sample)
        goes_on.wait(60)

    monitor = Monitor(Server(NOBODY))
    monitor.listen(hanging)
    monitor.listen(heard.append)
    with monitor:
        eventually(lambda: len(heard) >= 3, "the other one hears")
        assert len(begun) == 1
        eventually(lambda: len(monitor.samples) > 5, "nor is sampling held up")
        goes_on.set()
        eventually(lambda: len(begun) > 1, "it hears again when it is back")
        eventually(
            lambda: threads().count("lifecycle-listeners") == 1, "the thread that hung has ended"
        )
    assert threads().count("lifecycle-listeners") == 0
    goes_on.clear()
    with monitor:
        count = len(begun)
        eventually(lambda: len(begun) > count, "it hangs again")
    assert "it hangs" in caplog.text  # and nobody waits for it for ever
    goes_on.set()
    eventually(lambda: threads().count("lifecycle-listeners") == 0, "its thread has ended")


def test_a_program_that_forgets_it_ends_at_once_and_in_silence() -> None:
    program = (
        "import time\n"
        "from lifecycle_widgets.monitor import Monitor\n"
        "from lifecycle_widgets.server import Server\n"
        f"monitor = Monitor(Server('{NOBODY}')).start()\n"
        "while monitor.latest is None: time.sleep(0.01)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


# --- servers that do not answer -------------------------------------------------------------------


def test_without_a_server_the_machine_is_still_read(eventually: Eventually) -> None:
    with Monitor(Server(NOBODY)) as monitor:
        eventually(lambda: len(monitor.samples) > 1, "two samples")
    sample = monitor.samples[-1]
    assert (sample.residents, sample.runners) == (None, ())
    assert "No Ollama answers at http://127.0.0.1:9" in (sample.error or "")
    assert sample.ram_used_bytes is not None
    assert sample.ram_total_bytes is not None
    assert 0 < sample.ram_used_bytes < sample.ram_total_bytes <= psutil.virtual_memory().total
    is_all = sample.ram_total_bytes == psutil.virtual_memory().total
    assert sample.ram_of == ("this machine" if is_all else "this container")
    assert sample.cpu_fraction is not None
    assert 0 <= sample.cpu_fraction <= 1
    assert (sample.faults, sample.unseen, sample.not_told) == ((), None, None)
    assert sample.at.tzinfo is not None
    assert monitor.residencies() == ()


def test_of_another_machine_no_runners_are_shown(eventually: Eventually) -> None:
    with Monitor(Server("192.0.2.1")) as monitor:  # an address that is kept free for examples
        eventually(lambda: monitor.latest, "a first sample")
    sample = monitor.samples[0]
    assert (sample.residents, sample.runners) == (None, None)
    assert "192.0.2.1" in (sample.error or "")
    assert "another machine" in (sample.unseen or "")


def test_a_server_without_a_list_of_what_is_in_memory_answers_but_does_not_tell() -> None:
    with RecordedServer(ollama(ps=None)) as recorded:
        sample = Monitor(recorded.url).read()
    assert (sample.residents, sample.error, sample.faults) == (None, None, ())
    assert "does not tell which models are in memory" in (sample.not_told or "")


def test_weights_are_asked_for_once_also_when_they_are_not_told() -> None:
    with RecordedServer(ollama(show={"details": {}})) as recorded:
        monitor = Monitor(recorded.url)
        for _ in range(5):
            assert [r.name for r in monitor.read().residents or ()] == ["tiny:1b"]
        assert [request.path for request in recorded.requests].count("/api/show") == 1


def test_a_server_whose_clock_is_ahead_is_read_by_ours() -> None:
    soon = datetime.now(timezone.utc) + timedelta(seconds=120 + 60)
    told = {"models": [resident(expires_at=soon.isoformat())]}
    with RecordedServer(ollama(ps=told), ahead_s=120) as recorded:
        monitor = Monitor(recorded.url)
        monitor.read()  # the first answer tells what its clock says
        monitor.read()
        (stay,) = monitor.residencies()
    assert stay.expires_at is not None
    assert abs((stay.expires_at - datetime.now(timezone.utc)).total_seconds() - 60) < 3


def test_what_is_not_ollama_is_called_so(eventually: Eventually) -> None:
    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *_: object) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        with Monitor(Server(f"127.0.0.1:{other.server_port}")) as monitor:
            eventually(lambda: monitor.latest, "a first sample")
        other.shutdown()
    sample = monitor.samples[0]
    assert "a web page" in (sample.not_told or sample.error or "")
    assert sample.residents is None


@pytest.mark.slow
def test_a_server_that_hangs_stops_nothing_and_ends_no_stay(eventually: Eventually) -> None:
    with Sandbox(models=(MODEL,)) as sandbox, Monitor(Server(sandbox.url)) as monitor:
        monitor.server.preload(MODEL)
        eventually(lambda: is_resident(monitor), "resident")
        ollama = psutil.Process(sandbox.pid)
        ollama.send_signal(signal.SIGSTOP)
        try:
            count = len(monitor.samples)
            eventually(lambda: len(monitor.samples) > count + 3, "samples of a hanging server")
            sample = monitor.samples[-1]
        finally:
            ollama.send_signal(signal.SIGCONT)
        assert sample.residents is None
        assert sample.error
        assert sample.ram_used_bytes
        assert [runner.model for runner in sample.runners or ()] == [MODEL]
        eventually(lambda: is_resident(monitor), "resident again")
        assert left(monitor) == [(MODEL, None)]


@pytest.mark.slow
def test_server_gone_and_back(eventually: Eventually) -> None:
    with Sandbox(models=(MODEL,)) as sandbox:
        port = sandbox.port
        monitor = Monitor(Server(sandbox.url)).start()
        monitor.server.preload(MODEL, "forever")
        eventually(lambda: is_resident(monitor), "resident")
        assert last(monitor).is_forever
    eventually(lambda: left(monitor) == [(MODEL, "server gone")], "server gone")
    assert monitor.latest is not None
    assert monitor.latest.error
    with Sandbox(models=(MODEL,), port=port):
        eventually(lambda: not monitor.samples[-1].error, "the server is back")
        monitor.server.preload(MODEL)
        eventually(lambda: is_resident(monitor), "resident again")
        monitor.stop()
    assert left(monitor) == [(MODEL, "server gone"), (MODEL, None)]


# --- what a real Ollama does ----------------------------------------------------------------------


@pytest.mark.slow
def test_memory_comes_and_goes_and_watching_keeps_no_model(
    server: Server, eventually: Eventually
) -> None:
    with Monitor(server) as monitor:
        server.preload(MODEL, 2)
        loaded_s = time.monotonic()
        eventually(lambda: left(monitor) == [(MODEL, "expired")], "expired")
        gone_s = time.monotonic() - loaded_s
    assert 2 <= gone_s < 2 + 3  # the timer, and a few samples on a busy machine
    held = [runner for sample in monitor.samples for runner in sample.runners or ()]
    assert held[-1].model == MODEL
    assert held[-1].rss_bytes > 145e6  # its weights
    assert monitor.samples[-1].runners == ()
    stay = last(monitor)
    assert stay.until is not None
    assert stay.expires_at is not None
    assert stay.since < stay.expires_at
    # /api/ps is read a moment after the sample's time
    assert stay.expires_at <= stay.until + timedelta(seconds=0.5)


@pytest.mark.slow
def test_keep_alive_0_is_expired_on_a_cold_and_on_a_warm_model(
    server: Server, eventually: Eventually
) -> None:
    with Monitor(server) as monitor:
        for warm in (False, True):
            if warm:
                server.preload(MODEL, 300)
                eventually(lambda: is_resident(monitor), "resident")
            server.client.generate(
                model=MODEL, prompt="Count.", keep_alive=0, options={"num_predict": 5}
            )
            server.zeroed.append((MODEL, time.monotonic()))  # as a run of an agent does
            stays = [(MODEL, "expired")] * (2 if warm else 1)
            eventually(lambda: left(monitor) == stays, "expired")  # noqa: B023


@pytest.mark.slow
def test_requested(server: Server, eventually: Eventually) -> None:
    with Monitor(server) as monitor:
        server.preload(MODEL, 300)
        eventually(lambda: is_resident(monitor), "resident")
        server.unload(MODEL)
        eventually(lambda: left(monitor) == [(MODEL, "requested")], "requested")
    assert monitor.residencies() is monitor.residencies()  # not derived again for each who asks


@pytest.mark.slow
def test_crashed_and_loaded_anew(server: Server, eventually: Eventually) -> None:
    with Monitor(server) as monitor:
        server.preload(MODEL, 300)
        eventually(lambda: is_resident(monitor), "resident")
        psutil.Process((monitor.samples[-1].runners or ())[0].pid).kill()
        eventually(lambda: left(monitor) == [(MODEL, "crashed")], "crashed")
        server.preload(MODEL, 300)
        eventually(lambda: is_resident(monitor), "resident again")
        assert left(monitor) == [(MODEL, "crashed"), (MODEL, None)]


@pytest.mark.slow
def test_evicted_by_another_model_and_by_other_options(eventually: Eventually) -> None:
    with (
        Sandbox(models=(MODEL, LARGER), OLLAMA_MAX_LOADED_MODELS=1) as sandbox,
        Monitor(Server(sandbox.url)) as monitor,
    ):
        monitor.server.preload(MODEL, 300)
        eventually(lambda: is_resident(monitor), "resident")
        monitor.server.preload(LARGER, 300)
        eventually(
            lambda: left(monitor) == [(MODEL, "evicted"), (LARGER, None)], "evicted by a model"
        )
        eventually(lambda: is_resident(monitor), "the other is resident")
        monitor.server.client.generate(model=LARGER, keep_alive=300, options={"num_ctx": 2048})
        eventually(
            lambda: left(monitor)[1:] == [(LARGER, "evicted"), (LARGER, None)], "loaded anew"
        )


@pytest.mark.slow
def test_what_it_costs(server: Server, eventually: Eventually) -> None:
    server.preload(MODEL, 300)
    with Monitor(server) as monitor:
        eventually(lambda: len(monitor.samples) > 11, "a dozen samples")
    print(
        f"\nmonitor: {monitor.cost_s * 1e3:.1f} ms of CPU and {monitor.wall_s * 1e3:.1f} ms on the "
        f"clock per sample, {monitor.overhead:.2%} of a core"
    )
    assert 0 < monitor.overhead < 0.05
    assert monitor.cost_s < 0.025
