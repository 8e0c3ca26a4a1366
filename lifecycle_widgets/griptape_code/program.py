"""griptape_code: the program that does what a run does, on griptape alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.griptape_code.access import KEY, USER, shown_address, wanted_secret
from lifecycle_widgets.griptape_code.imports import Imports
from lifecycle_widgets.griptape_code.texts import long_text, python_text
from lifecycle_widgets.griptape_code.tools import tool_line
from lifecycle_widgets.keep_alive import KeepAlive

if TYPE_CHECKING:
    from griptape.tools import BaseTool

_OURS = (
    "agent",
    "driver",
    "prompt",
    "turns",
    "user",
    "asked",
    "answered",
    "event",
    "print",
    "logging",
    "os",
    "b64encode",
)
_RUN = """\
logging.getLogger("griptape").setLevel(logging.CRITICAL)  # else all is printed twice
# this form ends with an error where Stream(agent) would wait for ever
with {EventListener}(
    lambda event: print(event.token, end="", flush=True), event_types=[{TextChunkEvent}]
):
    agent.run(prompt)
print()
if isinstance(agent.output, {ErrorArtifact}):  # griptape does not raise it
    raise agent.output.exception or RuntimeError(agent.output.value)"""


def griptape_code(
    *,
    model: str,
    keep_alive: KeepAlive | str | float | timedelta | None = None,
    url: str | None = None,
    options: Mapping[str, Any] | None = None,
    think: bool | str | None = None,
    rules: Sequence[str] = (),
    tools: Sequence[BaseTool] = (),
    history: Sequence[tuple[str, str]] = (),
    prompt: str = "",
    secret: str | None = None,
) -> str:
    """The exact Python code that reproduces a run without this package.

    What it sends is what `AgentRun` sends with the same values and ``hold=False``. Its model's
    texts are quoted, whatever is in them, and mean nothing to Python or Jinja. No key or password
    is in it: where the server wants one, the code reads it from the environment.

    Parameters
    ----------
    model, keep_alive, options, think, rules, history:
        What `AgentRun` takes.
    url:
        The server's address, with ``http://`` or ``https://``. Without one, griptape is left to
        find it by OLLAMA_HOST. A user and password in it are not shown.
    tools:
        griptape's tools. One that can be imported is written as its constructor, one that cannot
        (it is of the notebook, or holds a driver or a key) as a comment that says what to put
        there.
    prompt:
        What is asked, and printed as it comes. Without one, the code ends with the ``agent``.
    secret:
        What the server wants: ``"key"``, which the code reads from OLLAMA_API_KEY, or ``"user"``:
        it reads ``user:password`` from OLLAMA_USER. None: what is in the url, or in this process's
        environment.

    Returns
    -------
    str
        Python, without a line end after its last line.

    Raises
    ------
    ValueError
        For a keep_alive that Ollama would reject, a url that is no http address, or an option that
        is no plain value.

    Examples
    --------
    >>> print(griptape_code(model="smollm2:135m", keep_alive="5m", rules=["Be brief."]))
    from griptape.drivers.prompt.ollama import OllamaPromptDriver
    from griptape.rules import Rule
    from griptape.structures import Agent
    <BLANKLINE>
    driver = OllamaPromptDriver(
        model="smollm2:135m",
        extra_params={"keep_alive": 300},  # seconds: 5m
    )
    agent = Agent(
        input="{{ args[0] }}",  # so that a prompt is sent as it is, also with {{ }} in it
        prompt_driver=driver,
        rules=[
            Rule("Be brief."),
        ],
    )
    """
    value, where = KeepAlive(keep_alive), None if url is None else shown_address(url)
    imports, wanted = Imports(_OURS), wanted_secret(url, secret)
    parts = [
        _SECRET.get(wanted, ""),
        _driver(imports, model, where, _extra(value, think), wanted, is_run=bool(prompt)),
        _over_griptapes_own(options or {}),
        _turns(history),
        _agent(imports, rules, tools, history, is_run=bool(prompt)),
    ]
    if prompt:
        parts.append(f"prompt = {long_text(prompt)}\n{_running(imports)}")
    standard = ["import logging"] * bool(prompt)
    standard += ["import os", "from base64 import b64encode"] * (wanted == "user")
    groups = ["\n".join(standard), str(imports), "\n".join(part for part in parts if part)]
    return "\n\n".join(group for group in groups if group)


_SECRET = {
    "user": f'user = os.environ["{USER}"].encode()  # user:password',
    "key": f"# the key is read from {KEY} in the environment",
}


def _driver(
    imports: Imports, model: str, url: str | None, extra: str, secret: str, *, is_run: bool
) -> str:
    lines = [f"model={python_text(model)},"]
    if url is not None:
        lines.append(f"host={python_text(url)},")
    if secret == "user":
        lines.append('headers={"Authorization": f"Basic {b64encode(user).decode()}"},')
    lines += [extra] * bool(extra)
    if is_run:
        lines += ["stream=True,", "max_attempts=1,  # a second one would print the text again"]
    name = imports.name("griptape.drivers.prompt.ollama", "OllamaPromptDriver")
    return f"driver = {_call(name, lines)}"


def _extra(value: KeepAlive, think: bool | str | None) -> str:
    """What stands at the top level of each request, and what it means."""
    asked = {"keep_alive": value.to_json(), "think": think}
    sent = {name: one for name, one in asked.items() if one is not None}
    comment = "" if value.is_default else f"  # {_meaning(value)}"
    return f"extra_params={python_text(sent)},{comment}" if sent else ""


def _over_griptapes_own(options: Mapping[str, Any]) -> str:
    if not options:
        return ""
    # options=... would be all there is, without griptape's temperature and stop
    return f"driver.options.update({python_text(options)})  # over griptape's own options"


def _turns(history: Sequence[tuple[str, str]]) -> str:
    if not history:
        return ""
    pairs = (f"({python_text(asked)}, {python_text(told)})" for asked, told in history)
    return f"turns = [  # what was asked, what was answered\n{_indented(f'{p},' for p in pairs)}]"


def _agent(
    imports: Imports,
    rules: Sequence[str],
    tools: Sequence[BaseTool],
    history: Sequence[tuple[str, str]],
    *,
    is_run: bool,
) -> str:
    name = imports.name("griptape.structures", "Agent")
    if not (is_run or rules or tools or history):
        return f"agent = {name}(prompt_driver=driver)"
    lines = [
        'input="{{ args[0] }}",  # so that a prompt is sent as it is, also with {{ }} in it',
        "prompt_driver=driver,",
    ]
    if rules:
        rule = imports.name("griptape.rules", "Rule")
        lines += _listed("rules", [f"{rule}({python_text(text)})," for text in rules])
    if tools:
        lines += _listed("tools", [tool_line(tool, imports) for tool in tools])
    if history:
        lines += _memory(imports)
    return f"agent = {_call(name, lines)}"


def _memory(imports: Imports) -> list[str]:
    home = "griptape.memory.structure"
    memory, run = imports.name(home, "ConversationMemory"), imports.name(home, "Run")
    text = imports.name("griptape.artifacts", "TextArtifact")
    return [
        f"conversation_memory={memory}(",
        "    runs=[",
        f"        {run}(input={text}(asked), output={text}(answered))",
        "        for asked, answered in turns",
        "    ],",
        "    autoprune=False,  # else turns are left out from 2,000 tokens on",
        "),",
    ]


def _running(imports: Imports) -> str:
    events = {name: imports.name("griptape.events", name) for name in _EVENTS}
    return _RUN.format(ErrorArtifact=imports.name("griptape.artifacts", "ErrorArtifact"), **events)


_EVENTS = ("EventListener", "TextChunkEvent")


def _call(name: str, lines: Iterable[str]) -> str:
    return f"{name}(\n{_indented(lines)})"


def _listed(name: str, lines: Iterable[str]) -> list[str]:
    return [f"{name}=[", *(f"    {line}" for line in lines), "],"]


def _indented(lines: Iterable[str]) -> str:
    return "".join(f"    {line}\n" for line in lines)


def _meaning(value: KeepAlive) -> str:
    if value.is_zero:
        return "unload at once"
    return "forever" if value.is_forever else f"seconds: {value}"
