"""Processes that are killed or stopped: the runner, Ollama, and the one that asks."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import psutil
import pytest
from trouble_tools import SMALL, STORY, is_resident, left, telling, until, works

from lifecycle_widgets.agent import RunFailed
from lifecycle_widgets.experiments import ColdAndWarm, ExperimentFailed
from lifecycle_widgets.experiments.face.experiment import Step
from lifecycle_widgets.experiments.shortage import control_groups
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.sandbox.trouble import VARIABLE
from lifecycle_widgets.sandbox.trouble_proxy import free_port
from lifecycle_widgets.server import Server, ServerUnreachable
from lifecycle_widgets.widgets import AgentPanel
from tests.sandbox.sandbox_tools import all_gone, runners, start_python, wait_for_line

ON_LOAD = """
import lifecycle_widgets as lw
from lifecycle_widgets.agent import AgentRun
{server}
AgentRun("Hi.", model="smollm2:135m", server=lw.Server(url)).start()
print("begun", url, flush=True)
import time; time.sleep(600)
"""
OWN = """
from lifecycle_widgets.sandbox import Sandbox
box = Sandbox(models=["smollm2:135m"], runner_env={{"LIFECYCLE_SANDBOX_TROUBLE": {file!r}}}).start()
url = box.url
print("own", box.pid, box.log_path.parent, flush=True)
"""


def suspend(process: psutil.Process) -> None:
    """Stop a process, and wait until its last thread has stopped: till then it may answer."""
    process.suspend()

    def has_stopped() -> bool:
        try:
            tasks = Path(f"/proc/{process.pid}/task").glob("*/status")
            return all("State:\tT" in task.read_text() for task in tasks)
        except OSError:  # a thread has ended meanwhile
            return False

    until(has_stopped, "all its threads have stopped")


def test_a_runner_killed_in_mid_answer_is_told_in_panel_and_monitor(
    box: Sandbox, server: Server
) -> None:
    with Monitor(server) as monitor:
        panel = AgentPanel(server, model=SMALL, prompt=STORY, options={"num_predict": 3000})
        panel.start()
        until(lambda: len(panel.answer) > 20 and is_resident(monitor), "the answer has begun")
        [runner] = runners(box.pid)
        runner.kill()
        with pytest.raises(RunFailed, match="middle of its answer") as failed:
            panel.wait(20)
        assert panel.error == str(failed.value)
        assert "What had arrived is kept" in panel.error
        assert "the process that runs the model has ended" in panel.error.lower()
        kept = panel.runs[-1]
        assert kept is failed.value.run
        assert kept.answer == panel.answer != ""
        assert kept.timings.ttft_s is not None
        assert kept.timings.total_s > kept.timings.ttft_s
        until(lambda: left(monitor) == [(SMALL, "crashed")], "crashed")
        panel.options = {"num_predict": 4}
        assert panel.start().wait().error is None
        until(lambda: left(monitor) == [(SMALL, "crashed"), (SMALL, None)], "resident again")
        panel.close()


@pytest.mark.slow
def test_a_runner_killed_in_an_experiment_keeps_its_rows(tmp_path: Path) -> None:
    trouble = tmp_path / "trouble.json"
    with Sandbox(models=[SMALL], runner_env={VARIABLE: str(trouble)}) as box:
        server = Server(box.url)
        experiment = ColdAndWarm(SMALL, server=server, rounds=2)

        def on_step(step: Step) -> None:
            if step.done == 2:  # the next one that is loaded
                trouble.write_text(json.dumps({"crash_at_token": 3}))

        with pytest.raises(ExperimentFailed, match=r"\d of \d measurements are kept") as failed:
            experiment.run(on_step=on_step)
        assert "The process that runs the model has ended" in str(failed.value)
        result = failed.value.result
        assert result is not None
        assert 2 <= len(result.frame) < result.facts["planned"]
        assert result.frame["load_s"].notna().all()
        assert server.residents() == ()
        trouble.unlink()
        assert experiment.run().is_complete
        server.close()


def test_ollama_killed_in_mid_answer_and_started_again_where_it_was() -> None:
    with Sandbox(models=[SMALL], port=free_port()) as box:
        server = Server(box.url)
        with Monitor(server) as monitor:
            run = telling(server)
            until(lambda: is_resident(monitor), "resident")
            pids = [runner.pid for runner in runners(box.pid)]
            os.kill(box.pid, signal.SIGKILL)
            with pytest.raises(RunFailed, match="went away in the middle") as failed:
                run.wait(20)
            assert failed.value.run is not None
            assert failed.value.run.answer == run.answer
            assert failed.value.run.timings.ttft_s is not None
            assert all_gone(pids)
            with pytest.raises(ServerUnreachable, match="No Ollama answers"):
                server.preload(SMALL)
            until(lambda: left(monitor) == [(SMALL, "server gone")], "server gone")
            count = len(monitor.samples)
            until(lambda: not box.is_running, "the guard has ended")
            box.start()
            works(server)
            until(lambda: left(monitor)[1:] == [(SMALL, None)], "resident again")
            assert len(monitor.samples) > count, "it went on meanwhile"
        server.close()


@pytest.mark.slow
def test_ollama_stopped_and_continued(box: Sandbox, server: Server) -> None:
    run = telling(server)
    ollama = psutil.Process(box.pid)
    suspend(ollama)
    try:
        for ask in (server.residents, server.models, lambda: works(server)):
            with pytest.raises(ServerUnreachable, match=r"did not answer within 2 s: it hangs"):
                ask()
        assert run.running, "the run waits; a person may stop it"
        other = run.answer
    finally:
        ollama.resume()
    until(lambda: len(run.answer) > len(other), "the answer goes on")
    suspend(ollama)
    try:
        run.stop()
        stopped = run.wait(5)
    finally:
        ollama.resume()
    assert stopped.stopped
    assert stopped.error is None
    assert stopped.answer.startswith(other)
    works(server)


@pytest.mark.slow
def test_a_systemd_that_does_not_answer_counts_as_one_that_refuses() -> None:
    done = control_groups._run("sleep", "600")  # as long as a manager that hangs
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr == "systemd did not answer sleep within 10 s"


# --- the process that asks ------------------------------------------------------------------------


def test_a_kernel_killed_during_a_load_takes_its_sandbox_along(tmp_path: Path) -> None:
    slow = tmp_path / "trouble.json"
    slow.write_text('{"load_delay_s": 120}')
    kernel = start_python(ON_LOAD.format(server=OWN.format(file=str(slow))))
    _, pid, folder = wait_for_line(kernel, "own ").split()
    wait_for_line(kernel, "begun")
    until(lambda: runners(int(pid)), "the load has begun")
    family = [int(pid), psutil.Process(int(pid)).ppid(), *(r.pid for r in runners(int(pid)))]
    kernel.kill()
    kernel.wait(10)
    assert kernel.stdout is not None
    kernel.stdout.close()
    assert all_gone(family)
    until(lambda: not Path(folder).exists(), "its folder is gone", 5.0)


def test_a_kernel_killed_during_a_load_on_a_shared_server_ends_the_load(tmp_path: Path) -> None:
    slow = tmp_path / "trouble.json"
    slow.write_text('{"load_delay_s": 120}')
    with (
        Sandbox(models=[SMALL], runner_env={"LIFECYCLE_SANDBOX_TROUBLE": str(slow)}) as box,
        Monitor(Server(box.url)) as monitor,
    ):
        kernel = start_python(ON_LOAD.format(server=f"url = {box.url!r}"))
        wait_for_line(kernel, "begun")
        until(lambda: any(s.runners for s in monitor.samples), "the monitor has seen the load")
        kernel.kill()
        kernel.wait(10)
        assert kernel.stdout is not None
        kernel.stdout.close()
        until(lambda: not runners(box.pid), "the load is given up")
        slow.unlink()
        works(monitor.server)
        until(lambda: left(monitor) == [(SMALL, "unknown"), (SMALL, None)], "each runner is a stay")
        monitor.server.close()
