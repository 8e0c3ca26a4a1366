"""Know what a resident model costs, and choose ``keep_alive`` from measurements.

The public names are imported when they are first used, so that ``import lifecycle_widgets`` costs
next to nothing.

>>> import lifecycle_widgets as lw
>>> lw.KeepAlive("5m").to_json()
300
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "keep_alive": ("KeepAlive",),
    "runs": ("Run", "Step", "Timings", "load_runs"),
    "scheduler": ("Scheduler",),
    "server": (
        "AccessDenied",
        "Model",
        "NotTold",
        "Resident",
        "Server",
        "ServerError",
        "ServerUnreachable",
        "UnknownModel",
        "chat_models",
        "smallest_chat_models",
    ),
    "agent": (
        "AgentRun",
        "RunEnded",
        "RunFailed",
        "RunTimedOut",
        "StepBegan",
        "StepEnded",
        "StructureRun",
        "Text",
        "Thinking",
        "ToolsBegan",
        "ToolsEnded",
        "run",
        "run_agent",
        "stream",
    ),
    "history": ("History", "HistoryError"),
    "monitor": (
        "Gap",
        "Gpu",
        "InForce",
        "Loading",
        "Machine",
        "Monitor",
        "Request",
        "Residency",
        "Runner",
        "RunnerSettings",
        "Sample",
        "residency_frame",
    ),
    "experiments": (
        "ColdAndWarm",
        "Downstream",
        "Experiment",
        "ExperimentFailed",
        "InALoop",
        "InARow",
        "InTurn",
        "NeedsConsent",
        "Result",
        "load_result",
        "run_frame",
    ),
    "advisor.adaptive.adaptive": ("AdaptiveKeepAlive",),
    "advisor.price": ("Price",),
    "advisor.recommend.advice": ("Advice",),
    "advisor.recommend.advise": ("advise",),
    "advisor.replay.parquet.files": ("profile_of",),
    "advisor.replay.online": ("replay_policies",),
    "advisor.replay.what_if": ("what_if",),
    "advisor.replay.what_if_policies": ("what_if_policies",),
    "advisor.simulate.limits": ("best_limit",),
    "advisor.simulate.replay": ("replay_server",),
    "advisor.workload.drawn": ("drawn_workload",),
    "advisor.workload.faults": ("WorkloadError",),
    "advisor.workload.from_history": ("workload_of",),
    "advisor.workload.reading": ("read_workload",),
    "advisor.workload.workload": ("Stream", "Workload"),
    "doctor": ("Diagnosis",),
    "facts.claims": ("claims",),
    "terms": ("glossary",),
    "lessons": ("Lesson", "told"),
    "sandbox": ("Sandbox", "SandboxError"),
    "code_snippets": ("server_settings", "snippets"),
    "widgets": (
        "AdvicePanel",
        "AgentPanel",
        "BreakEven",
        "CodeBlock",
        "DoctorPanel",
        "ExperimentPanel",
        "HistoryView",
        "InForceView",
        "KeepAlivePicker",
        "ModelPicker",
        "ResourceChart",
        "RunTable",
        "TuningLab",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [*_HOME_OF, "__version__"]

if TYPE_CHECKING:
    from lifecycle_widgets.advisor.adaptive.adaptive import AdaptiveKeepAlive as AdaptiveKeepAlive
    from lifecycle_widgets.advisor.price import Price as Price
    from lifecycle_widgets.advisor.recommend.advice import Advice as Advice
    from lifecycle_widgets.advisor.recommend.advise import advise as advise
    from lifecycle_widgets.advisor.replay.online import replay_policies as replay_policies
    from lifecycle_widgets.advisor.replay.parquet.files import profile_of as profile_of
    from lifecycle_widgets.advisor.replay.what_if import what_if as what_if
    from lifecycle_widgets.advisor.replay.what_if_policies import (
        what_if_policies as what_if_policies,
    )
    from lifecycle_widgets.advisor.simulate.limits import best_limit as best_limit
    from lifecycle_widgets.advisor.simulate.replay import replay_server as replay_server
    from lifecycle_widgets.advisor.workload.drawn import drawn_workload as drawn_workload
    from lifecycle_widgets.advisor.workload.faults import WorkloadError as WorkloadError
    from lifecycle_widgets.advisor.workload.from_history import workload_of as workload_of
    from lifecycle_widgets.advisor.workload.reading import read_workload as read_workload
    from lifecycle_widgets.advisor.workload.workload import Stream as Stream
    from lifecycle_widgets.advisor.workload.workload import Workload as Workload
    from lifecycle_widgets.agent import AgentRun as AgentRun
    from lifecycle_widgets.agent import RunEnded as RunEnded
    from lifecycle_widgets.agent import RunFailed as RunFailed
    from lifecycle_widgets.agent import RunTimedOut as RunTimedOut
    from lifecycle_widgets.agent import StepBegan as StepBegan
    from lifecycle_widgets.agent import StepEnded as StepEnded
    from lifecycle_widgets.agent import StructureRun as StructureRun
    from lifecycle_widgets.agent import Text as Text
    from lifecycle_widgets.agent import Thinking as Thinking
    from lifecycle_widgets.agent import ToolsBegan as ToolsBegan
    from lifecycle_widgets.agent import ToolsEnded as ToolsEnded
    from lifecycle_widgets.agent import run as run
    from lifecycle_widgets.agent import run_agent as run_agent
    from lifecycle_widgets.agent import stream as stream
    from lifecycle_widgets.code_snippets import server_settings as server_settings
    from lifecycle_widgets.code_snippets import snippets as snippets
    from lifecycle_widgets.doctor import Diagnosis as Diagnosis
    from lifecycle_widgets.experiments import ColdAndWarm as ColdAndWarm
    from lifecycle_widgets.experiments import Downstream as Downstream
    from lifecycle_widgets.experiments import Experiment as Experiment
    from lifecycle_widgets.experiments import ExperimentFailed as ExperimentFailed
    from lifecycle_widgets.experiments import InALoop as InALoop
    from lifecycle_widgets.experiments import InARow as InARow
    from lifecycle_widgets.experiments import InTurn as InTurn
    from lifecycle_widgets.experiments import NeedsConsent as NeedsConsent
    from lifecycle_widgets.experiments import Result as Result
    from lifecycle_widgets.experiments import load_result as load_result
    from lifecycle_widgets.experiments import run_frame as run_frame
    from lifecycle_widgets.facts.claims import claims as claims
    from lifecycle_widgets.history import History as History
    from lifecycle_widgets.history import HistoryError as HistoryError
    from lifecycle_widgets.keep_alive import KeepAlive as KeepAlive
    from lifecycle_widgets.lessons import Lesson as Lesson
    from lifecycle_widgets.lessons import told as told
    from lifecycle_widgets.monitor import Gap as Gap
    from lifecycle_widgets.monitor import Gpu as Gpu
    from lifecycle_widgets.monitor import InForce as InForce
    from lifecycle_widgets.monitor import Loading as Loading
    from lifecycle_widgets.monitor import Machine as Machine
    from lifecycle_widgets.monitor import Monitor as Monitor
    from lifecycle_widgets.monitor import Request as Request
    from lifecycle_widgets.monitor import Residency as Residency
    from lifecycle_widgets.monitor import Runner as Runner
    from lifecycle_widgets.monitor import RunnerSettings as RunnerSettings
    from lifecycle_widgets.monitor import Sample as Sample
    from lifecycle_widgets.monitor import residency_frame as residency_frame
    from lifecycle_widgets.runs import Run as Run
    from lifecycle_widgets.runs import Step as Step
    from lifecycle_widgets.runs import Timings as Timings
    from lifecycle_widgets.runs import load_runs as load_runs
    from lifecycle_widgets.sandbox import Sandbox as Sandbox
    from lifecycle_widgets.sandbox import SandboxError as SandboxError
    from lifecycle_widgets.scheduler import Scheduler as Scheduler
    from lifecycle_widgets.server import AccessDenied as AccessDenied
    from lifecycle_widgets.server import Model as Model
    from lifecycle_widgets.server import NotTold as NotTold
    from lifecycle_widgets.server import Resident as Resident
    from lifecycle_widgets.server import Server as Server
    from lifecycle_widgets.server import ServerError as ServerError
    from lifecycle_widgets.server import ServerUnreachable as ServerUnreachable
    from lifecycle_widgets.server import UnknownModel as UnknownModel
    from lifecycle_widgets.server import chat_models as chat_models
    from lifecycle_widgets.server import smallest_chat_models as smallest_chat_models
    from lifecycle_widgets.terms import glossary as glossary
    from lifecycle_widgets.widgets import AdvicePanel as AdvicePanel
    from lifecycle_widgets.widgets import AgentPanel as AgentPanel
    from lifecycle_widgets.widgets import BreakEven as BreakEven
    from lifecycle_widgets.widgets import CodeBlock as CodeBlock
    from lifecycle_widgets.widgets import DoctorPanel as DoctorPanel
    from lifecycle_widgets.widgets import ExperimentPanel as ExperimentPanel
    from lifecycle_widgets.widgets import HistoryView as HistoryView
    from lifecycle_widgets.widgets import InForceView as InForceView
    from lifecycle_widgets.widgets import KeepAlivePicker as KeepAlivePicker
    from lifecycle_widgets.widgets import ModelPicker as ModelPicker
    from lifecycle_widgets.widgets import ResourceChart as ResourceChart
    from lifecycle_widgets.widgets import RunTable as RunTable
    from lifecycle_widgets.widgets import TuningLab as TuningLab


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value  # the next look-up does not come here
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext lifecycle_widgets``: gives the shell the magic ``%%agent``."""
    from lifecycle_widgets.magic import load

    load(shell)
