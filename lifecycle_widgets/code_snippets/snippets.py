"""The chosen keep_alive as code to copy: a griptape driver, the server's own setting, a curl."""

from __future__ import annotations

import json
import shlex
from datetime import timedelta

from lifecycle_widgets.code_snippets.server_settings import as_written
from lifecycle_widgets.griptape_code import KEY, USER, griptape_code, shown_address, wanted_secret
from lifecycle_widgets.keep_alive import KeepAlive

_URL = "http://localhost:11434"  # where Ollama listens when nothing else is said


def snippets(
    model: str,
    keep_alive: KeepAlive | str | float | timedelta | None,
    url: str | None = None,
    *,
    think: bool | str | None = None,
    secret: str | None = None,
) -> dict[str, str]:
    """The code that asks for a keep_alive, in three forms; each runs as it is.

    Everything is quoted for the language it stands in, whatever the name of the model is. No key
    or password is in it: where the server wants one, the code reads it from the environment.

    Parameters
    ----------
    model:
        Its name, as in `ollama list`.
    keep_alive:
        What `KeepAlive` takes. None: the server default, so nothing is sent.
    url:
        The server's address, with ``http://`` or ``https://``. Without one, griptape is left to
        find it by OLLAMA_HOST, and curl asks localhost:11434. A user and password in it are not
        shown.
    think:
        Whether a model that can is to think: what `AgentRun` takes. None: not sent.
    secret:
        What the server wants: ``"key"``, which the code reads from OLLAMA_API_KEY, or ``"user"``:
        it reads ``user:password`` from OLLAMA_USER. None: what is in the url, or in this process's
        environment.

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
    value, wanted = KeepAlive(keep_alive), wanted_secret(url, secret)
    where = None if url is None else shown_address(url)
    return {
        "griptape": griptape_code(
            model=model, keep_alive=value, url=where, think=think, secret=wanted
        ),
        "server": _server(value),
        "curl": _curl(model, value, where or _URL, think, wanted),
    }


def _server(value: KeepAlive) -> str:
    written = as_written("OLLAMA_KEEP_ALIVE", value)
    if written is None:
        return (
            "# The server's own default is 5 minutes. To have it back, start `ollama serve`\n"
            "# without this variable:\n"
            "unset OLLAMA_KEEP_ALIVE"
        )
    return (
        "# For every model and every client that sends no keep_alive of its own.\n"
        "# It belongs in the environment of `ollama serve`, not in the notebook's; start the\n"
        "# server anew after it. A Linux service: systemctl edit ollama, then under [Service]\n"
        f'# Environment="OLLAMA_KEEP_ALIVE={written}". The macOS app:\n'
        f"# launchctl setenv OLLAMA_KEEP_ALIVE {written}\n"
        f"export OLLAMA_KEEP_ALIVE={shlex.quote(written)}"
    )


def _curl(model: str, value: KeepAlive, url: str, think: bool | str | None, secret: str) -> str:
    asked: dict[str, object] = {"model": model, "prompt": "Say hello.", "stream": False}
    if not value.is_default:
        asked["keep_alive"] = value.to_json()
    if think is not None:
        asked["think"] = think
    where = f"{url.rstrip('/')}/api/generate"
    lines = [f"curl --url {shlex.quote(where)}"]
    if secret:
        lines.append(_CURL_SECRET[secret])
    lines.append(f"--data {shlex.quote(json.dumps(asked))}")
    return " \\\n  ".join(lines)


_CURL_SECRET = {
    "user": f'--user "${USER}"',
    "key": f'--header "Authorization: Bearer ${KEY}"',
}
