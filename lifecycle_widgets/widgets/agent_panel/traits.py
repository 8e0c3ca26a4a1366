"""The state of an agent's panel: what can be observed, set and linked."""

from __future__ import annotations

from typing import Any

import traitlets

from lifecycle_widgets.agent import checked_options
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run
from lifecycle_widgets.widgets.base import KeepAliveTrait, ServerTrait, tell_again
from lifecycle_widgets.widgets.think_picker import ThinkTrait


class MemoryTrait(traitlets.TraitType[Any, Any]):
    """A griptape conversation memory; True: one of the panel's own; None (or False): none."""

    info_text = "a griptape ConversationMemory, True (one of its own), or None"
    default_value = True
    allow_none = True

    def validate(self, obj: Any, value: Any) -> Any:
        if value is None or value is False:
            return None
        if value is True or (hasattr(value, "runs") and hasattr(value, "add_run")):
            return value
        return self.error(obj, value)


class PanelTraits(traitlets.HasTraits):
    """The traits of `AgentPanel`: the choices for its next run, then what its runs have come to."""

    server = ServerTrait()
    model = traitlets.Unicode()
    keep_alive = KeepAliveTrait()
    prompt = traitlets.Unicode()
    options = traitlets.Dict()
    think = ThinkTrait()
    rules = traitlets.Tuple()
    tools = traitlets.Tuple()
    memory = MemoryTrait()
    hold = traitlets.Bool(None, allow_none=True)
    markdown = traitlets.Bool(True)
    blocked = traitlets.Unicode(help="Why it must not run (a mistake elsewhere); empty: it may.")
    tells_where = traitlets.Bool(True, help="Whether it says that a model runs elsewhere.")
    running = traitlets.Bool()
    answer = traitlets.Unicode()
    thinking = traitlets.Unicode()
    run = traitlets.Instance(Run, allow_none=True)
    runs = traitlets.Tuple()
    error = traitlets.Unicode()

    structure: Any = None  #: the person's own structure, for good; None: an agent is made

    @traitlets.validate("options")
    def _checked(self, proposal: Any) -> dict[str, Any]:
        return checked_options(proposal["value"])

    @traitlets.validate("keep_alive")
    def _set_anew(self, proposal: Any) -> KeepAlive:
        """While a mistake elsewhere blocks, what is linked hears of it though nothing changes."""
        value: KeepAlive = proposal["value"]
        if self.blocked and value == self.keep_alive:
            tell_again(self, "keep_alive")
        return value
