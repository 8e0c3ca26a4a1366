"""The widgets: one file, one widget, each a thin face of something that works without it.

All state is in traits: observe them, set them from code, link them with ``ipywidgets.link``.

| class | core traits | one line |
|---|---|---|
| Style | | Brings the package's style sheet to the page; shows nothing itself. |
| TextStream | text, hint | Shows a text that grows, sending only what is new; text, never HTML. |
| ModelPicker | model, models, server, needs, error | Chooses an installed model, and shows its size and whether it is in memory. |
| KeepAlivePicker | value, text, error, default_s, default_from | Chooses a keep_alive and says in one sentence what the server will do with it. |
| AdvicePanel | price, server, model, advice, running, error | Recommends a keep_alive for each model of a workload, with the cost curve and T* as a slider. |
| AgentPanel | server, model, keep_alive, options, think, rules, tools, memory, hold, prompt, running, answer, thinking, run, runs, error | Runs prompts as an agent: a conversation that streams, can be stopped, and tells its costs. |
| ResourceChart | monitor, window_s, view, paused, marked, clicked, status | Shows memory, models and everyone's requests over time, with each model's expiry. |
| DoctorPanel | server, running, diagnoses, errors, error | Says what is wrong with a server or with how it is used, and what to do about it. |
| HistoryView | server, what, since, error | Shows what was kept of a server: its requests, residencies, runs and idle gaps. |
| InForceView | monitor | Shows what is in force at a server: of its process, and of each model's runner. |
| ExperimentPanel | experiment, running, result, error | Runs an experiment by hand: its plan, Run and Stop, progress; then verdict, figure, table. |
| BreakEven | result, reloads, history_tokens, price_s_per_gb_min, break_even_s | Sets a price for memory, and shows the break-even gap T* and what each keep_alive costs. |
| RunTable | runs, selected | Shows runs in a table that can be sorted by any column, and compares the two selected. |
| CodeBlock | model, keep_alive, url, think, shown, text | Shows the code for a model and a keep_alive, as griptape, server setting or curl, to copy. |
| TuningLab | server, model, keep_alive, error | Chooses a server, a model and a keep_alive, runs prompts, and shows what it all costs. |

Names are imported when they are first used.
"""  # noqa: E501 (a table)

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "AdvicePanel": "advice_panel",
    "AgentPanel": "agent_panel",
    "BreakEven": "break_even",
    "CodeBlock": "code_block",
    "DoctorPanel": "doctor_panel",
    "ExperimentPanel": "experiment_panel",
    "HistoryView": "history_view",
    "InForceView": "in_force",
    "KeepAlivePicker": "keep_alive_picker",
    "ModelPicker": "model_picker",
    "ResourceChart": "chart",
    "RunTable": "run_table",
    "Style": "style",
    "TextStream": "text_stream",
    "TuningLab": "tuning_lab",
}

__all__ = [
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
    "Style",
    "TextStream",
    "TuningLab",
]

if TYPE_CHECKING:
    from lifecycle_widgets.widgets.advice_panel import AdvicePanel as AdvicePanel
    from lifecycle_widgets.widgets.agent_panel import AgentPanel as AgentPanel
    from lifecycle_widgets.widgets.break_even import BreakEven as BreakEven
    from lifecycle_widgets.widgets.chart import ResourceChart as ResourceChart
    from lifecycle_widgets.widgets.code_block import CodeBlock as CodeBlock
    from lifecycle_widgets.widgets.doctor_panel import DoctorPanel as DoctorPanel
    from lifecycle_widgets.widgets.experiment_panel import ExperimentPanel as ExperimentPanel
    from lifecycle_widgets.widgets.history_view import HistoryView as HistoryView
    from lifecycle_widgets.widgets.in_force import InForceView as InForceView
    from lifecycle_widgets.widgets.keep_alive_picker import KeepAlivePicker as KeepAlivePicker
    from lifecycle_widgets.widgets.model_picker import ModelPicker as ModelPicker
    from lifecycle_widgets.widgets.run_table import RunTable as RunTable
    from lifecycle_widgets.widgets.style import Style as Style
    from lifecycle_widgets.widgets.text_stream import TextStream as TextStream
    from lifecycle_widgets.widgets.tuning_lab import TuningLab as TuningLab


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value  # the next look-up does not come here
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
