"""Settings: what is chosen for the next run beside its model and its prompt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ipywidgets as widgets
import traitlets

from lifecycle_widgets.agent import checked_options
from lifecycle_widgets.runs import options_text
from lifecycle_widgets.runs.texts import counted
from lifecycle_widgets.widgets.agent_panel.numbers import NUMBERS, Number
from lifecycle_widgets.widgets.think_picker import ThinkPicker

_HOLD = "Keep the model in memory between the steps of a run, and apply keep_alive after the last"
_MEMORY = "Send the earlier turns of the conversation with each prompt"
_MARKDOWN = "Show answers as Markdown when they have ended; never as HTML"


class Settings(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Fields for the options, the rules, the tools and the rest; each is a trait as well.

    A field and its option are two views of one value. A mistake in a field leaves the option as it
    was and is told in ``error``; options that are set in code, also the same ones, take its place.

    Examples
    --------
    >>> settings = Settings()
    >>> settings.field("num_ctx").value = "8192"
    >>> settings.options, settings.short
    ({'num_ctx': 8192}, 'num_ctx 8192')
    >>> settings.field("num_ctx").value = "8k"
    >>> settings.error
    "num_ctx is '8k'. Give a whole number of tokens, such as 8192; empty: not sent."
    """

    options = traitlets.Dict()
    rules = traitlets.Tuple()
    tools = traitlets.Tuple(help="Those of the offered that are on.")
    remembers = traitlets.Bool(True)
    markdown = traitlets.Bool(True)
    hold = traitlets.Bool(None, allow_none=True)
    can_hold = traitlets.Bool(help="Whether a hold would make a difference.")
    error = traitlets.Unicode(help="What is wrong in a field; empty: nothing.")
    short = traitlets.Unicode(help="What is chosen, in a line; for reading.")

    def __init__(self) -> None:
        self._faults: dict[str, str] = {}
        self._showing = False  # what changes in a field comes from a trait
        self._typing = False  # and the other way round
        self._offered: dict[int, widgets.Checkbox] = {}  # by the tool's id
        self._fields = {number.name: _field(number) for number in NUMBERS}
        self.think = ThinkPicker()
        self._rules = widgets.Textarea(
            description="rules", placeholder="one per line; not sent when empty", rows=2,
            continuous_update=False, tooltip="What the model is to keep to in every answer",
        ).add_class("lw-field")  # fmt: skip
        self._memory, self._markdown = _check("memory", _MEMORY), _check("Markdown", _MARKDOWN)
        self._hold = _check("hold", _HOLD)
        label = widgets.HTML('<span class="lw-muted">tools</span>')
        self._tools = widgets.HBox([label]).add_class("lw-row")
        super().__init__(self._parts())
        self.add_class("lw-settings")
        self._link()
        self._show()

    def _parts(self) -> list[widgets.Widget]:
        self._numbers = widgets.HBox(list(self._fields.values())).add_class("lw-fields")
        checks = [self._memory, self._hold, self._markdown, self.think]
        return [self._numbers, self._rules, self._tools, widgets.HBox(checks).add_class("lw-row")]

    def _link(self) -> None:
        for number in NUMBERS:
            self._fields[number.name].observe(self._typed, "value")
        self._rules.observe(self._rules_typed, "value")
        traitlets.link((self, "remembers"), (self._memory, "value"))
        traitlets.link((self, "markdown"), (self._markdown, "value"))
        self._hold.observe(self._hold_checked, "value")
        self.observe(self._options_set, "options")
        names = ["options", "rules", "tools", "remembers", "markdown", "hold", "can_hold"]
        self.observe(self._show, names)
        self.think.observe(self._show, "think")

    def forget_mistakes(self) -> None:
        """What stands in the fields are the options again, as after a value was set in code."""
        if self._faults:
            self._options_set()

    def field(self, name: str) -> widgets.Text:
        """The field of one of the options that have one."""
        return self._fields[name]

    def offer(self, tools: tuple[Any, ...]) -> None:
        """Have a check for each of these tools, beside those there are."""
        for tool in tools:
            if id(tool) not in self._offered:
                check = _check(tool.name, f"Whether the model may call {tool.name}")
                check.tool = tool
                check.observe(self._tool_checked, "value")
                self._offered[id(tool)] = check
        self._tools.children = (self._tools.children[0], *self._offered.values())

    def leave_to_structure(self) -> None:
        """What a person's own structure decides for itself cannot be chosen here."""
        for part in (self._numbers, self._rules, self._memory):
            part.layout.display = "none"

    # --- from the fields to the traits -----------------------------------------------------------

    def _typed(self, change: Any) -> None:
        if self._showing:
            return
        number = next(n for n in NUMBERS if self._fields[n.name] is change["owner"])
        self._faults.pop(number.name, None)
        try:
            self._choose(number.name, number.read(change["new"]))
        except ValueError as fault:
            self._faults[number.name] = str(fault)
        self.error = next(iter(self._faults.values()), "")

    def _choose(self, name: str, value: float | None) -> None:
        others = {other: chosen for other, chosen in self.options.items() if other != name}
        with self._flag("_typing"):
            self.options = others if value is None else {**others, name: value}

    def _rules_typed(self, change: Any) -> None:
        if not self._showing:
            with self._flag("_typing"):  # what is being written stays as it was typed
                self.rules = tuple(filter(None, map(str.strip, change["new"].splitlines())))

    def _tool_checked(self, _: Any) -> None:
        if not self._showing:
            self.tools = tuple(check.tool for check in self._offered.values() if check.value)

    def _hold_checked(self, change: Any) -> None:
        if not self._showing:  # with the tick it is decided as ever; without it there is none
            self.hold = None if change["new"] else False

    # --- from the traits to the fields -----------------------------------------------------------

    def _options_set(self, _: Any = None) -> None:
        if self._typing:
            return
        self._faults, self.error = {}, ""
        with self._flag("_showing"):
            for number in NUMBERS:
                self._fields[number.name].value = number.write(self.options.get(number.name))

    def _show(self, _: Any = None) -> None:
        self.offer(self.tools)
        with self._flag("_showing"):
            for check in self._offered.values():
                check.value = any(tool is check.tool for tool in self.tools)
            if not self._typing:
                self._rules.value = "\n".join(self.rules)
            self._hold.value = self.hold is not False
        self._tools.layout.display = None if self._offered else "none"
        self._hold.layout.display = None if self.can_hold else "none"
        self.short = " · ".join(filter(None, self._words()))

    @contextmanager
    def _flag(self, name: str) -> Iterator[None]:
        before = getattr(self, name)
        setattr(self, name, True)
        try:
            yield
        finally:
            setattr(self, name, before)

    def _words(self) -> Iterator[str]:
        yield options_text(self.options)
        yield counted(len(self.rules), "rule") if self.rules else ""
        if self._offered:
            yield "tools " + (", ".join(tool.name for tool in self.tools) or "off")
        if self.think.think is not None:
            yield self.think.value
        yield "" if self.remembers else "no memory"
        yield "not held" if self.can_hold and self.hold is False else ""
        yield "" if self.markdown else "plain text"

    @traitlets.validate("options")
    def _checked(self, proposal: Any) -> dict[str, Any]:
        options = checked_options(proposal["value"])
        if not self._typing and options == self.options:  # no event will tell of it
            self.forget_mistakes()
        return options


def _field(number: Number) -> widgets.Text:
    field = widgets.Text(
        description=number.name,
        placeholder="not sent",
        tooltip=number.about,
        continuous_update=False,
    )
    return field.add_class("lw-field")


def _check(name: str, about: str) -> widgets.Checkbox:
    check = widgets.Checkbox(description=name, tooltip=about, indent=False)
    check.layout.width = "auto"
    return check
