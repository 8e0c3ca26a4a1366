"""The chosen keep_alive as code to copy: a griptape driver, the server's own setting, a curl."""

from __future__ import annotations

import json
import re
import shlex
from datetime import timedelta

from lifecycle_widgets.keep_alive import KeepAlive

_URL = "http://localhost:11434"  # where Ollama listens when nothing else is said
_PLAIN = re.compile(r"[A-Za-z0-9_./:@+-]+")


def snippets(
    model: str,
    keep_alive: KeepAlive | str | float | timedelta | None,
    url: str | None = None,
) -> dict[str, str]:
    """The code that asks for a keep_alive, in three forms; each runs as it is.

    Everything is quoted for the language it stands in, whatever the name of the model is.

    Parameters
    ----------
    model:
        Its name, as in `ollama list`.
    keep_alive:
        What `KeepAlive` takes. None: the server default, so nothing is sent.
    url:
        The server's address, with ``http://`` or ``https://``. Without one, griptape is left to
        find it by OLLAMA_HOST, and curl asks localhost:11434.

    Returns
    -------
    dict
        ``"griptape"`` (Python; makes ``agent``), ``"server"`` (a line of sh for the environment of
        ``ollama serve``), ``"curl"`` (a line of sh).

    Raises
    ------
    ValueError
        For a keep_alive that Ollama would reject, or a url that is no http address.

    Examples
    --------
    >>> print(snippets("smollm2:135m", "5m")["griptape"])
    from griptape.drivers.prompt.ollama import OllamaPromptDriver
    from griptape.structures import Agent
    <BLANKLINE>
    driver = OllamaPromptDriver(
        model="smollm2:135m",
        extra_params={"keep_alive": 300},  # seconds: 5m
    )
    agent = Agent(prompt_driver=driver)
    >>> print(snippets("smollm2:135m", "forever")["server"].splitlines()[-1])
    export OLLAMA_KEEP_ALIVE=-1
    """
    value = KeepAlive(keep_alive)
    if url is not None and not re.match(r"https?://[^/\s]", url):
        raise ValueError(f"{url!r} is not an address; give one such as {_URL!r}.")
    return {
        "griptape": _griptape(model, value, url),
        "server": _server(value),
        "curl": _curl(model, value, url or _URL),
    }


def _griptape(model: str, value: KeepAlive, url: str | None) -> str:
    lines = [f"model={_python(model)},"]
    if url is not None:
        lines.append(f"host={_python(url)},")
    if not value.is_default:
        lines.append(f'extra_params={{"keep_alive": {value.to_json()}}},  # {_meaning(value)}')
    arguments = "".join(f"    {line}\n" for line in lines)
    return (
        "from griptape.drivers.prompt.ollama import OllamaPromptDriver\n"
        "from griptape.structures import Agent\n\n"
        f"driver = OllamaPromptDriver(\n{arguments})\n"
        "agent = Agent(prompt_driver=driver)"
    )


def _server(value: KeepAlive) -> str:
    """The environment's grammar is not the API's: Go's durations, whole seconds, -1 (no fraction).

    Source: ``envconfig/config.go`` (``KeepAlive``) of Ollama 0.32.15.
    """
    if value.is_default:
        return (
            "# The server's own default is 5 minutes. To have it back, start `ollama serve`\n"
            "# without this variable:\n"
            "unset OLLAMA_KEEP_ALIVE"
        )
    written = "-1" if value.is_forever else str(value)
    return (
        "# For every model and every client that sends no keep_alive of its own.\n"
        "# It belongs in the environment of `ollama serve`, not in the notebook's; start the\n"
        "# server anew after it. A Linux service: systemctl edit ollama, then under [Service]\n"
        f'# Environment="OLLAMA_KEEP_ALIVE={written}". The macOS app:\n'
        f"# launchctl setenv OLLAMA_KEEP_ALIVE {written}\n"
        f"export OLLAMA_KEEP_ALIVE={shlex.quote(written)}"
    )


def _curl(model: str, value: KeepAlive, url: str) -> str:
    asked: dict[str, object] = {"model": model, "prompt": "Say hello.", "stream": False}
    if not value.is_default:
        asked["keep_alive"] = value.to_json()
    where = f"{url.rstrip('/')}/api/generate"
    return f"curl --url {shlex.quote(where)} \\\n  --data {shlex.quote(json.dumps(asked))}"


def _python(text: str) -> str:
    """The text as a Python literal: in double quotes where it is plain, else as Python has it."""
    return f'"{text}"' if _PLAIN.fullmatch(text) else repr(text)


def _meaning(value: KeepAlive) -> str:
    if value.is_zero:
        return "unload at once"
    return "forever" if value.is_forever else f"seconds: {value}"
