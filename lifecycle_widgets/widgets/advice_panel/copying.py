"""CopyAs: the advice as text to copy, in whatever form the reader's Ollama or agent is made."""

from __future__ import annotations

import anywidget
import traitlets

from lifecycle_widgets.advisor.recommend.advice import Advice
from lifecycle_widgets.advisor.recommend.values import ModelAdvice
from lifecycle_widgets.code_snippets import server_settings, snippets
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.server import Server
from lifecycle_widgets.widgets.code_block import sent_secret
from lifecycle_widgets.widgets.style import static


class CopyAs(anywidget.AnyWidget):
    """Shows a keep_alive as code, in one of seven forms, and copies it; as `CodeBlock` does.

    Examples
    --------
    >>> block = CopyAs()
    >>> block.texts = copy_as("smollm2:135m", KeepAlive("2m"), {"OLLAMA_KEEP_ALIVE": "5m"})
    >>> block.shown = "setx"
    >>> block.text.splitlines()[0]
    'setx OLLAMA_KEEP_ALIVE "5m"'
    >>> block.close()
    """

    _esm = static("code_block.js")
    shown = traitlets.Unicode("griptape").tag(sync=True)
    _texts = traitlets.Dict().tag(sync=True)

    @property
    def texts(self) -> dict[str, str]:
        """The text of each form."""
        return dict(self._texts)

    @texts.setter
    def texts(self, texts: dict[str, str]) -> None:
        self._texts = texts

    @property
    def text(self) -> str:
        """The text that is shown; "" for none."""
        return str(self._texts.get(self.shown, ""))


def copy_as(
    model: str,
    keep_alive: KeepAlive,
    settings: dict[str, object],
    server: Server | None = None,
) -> dict[str, str]:
    """The advice in every form.

    Parameters
    ----------
    model, keep_alive:
        For what is sent with each request: ``"griptape"`` and ``"curl"``.
    settings:
        For what the server is started with: ``"shell"``, ``"systemd"``, ``"launchd"``,
        ``"docker"``, ``"setx"``; by the names of Ollama's environment.
    server:
        Which one is asked; no key or password of it is in the text.

    Raises
    ------
    ValueError
        As `snippets` and `server_settings` do.
    """
    url = None if server is None else server.url
    secret = None if server is None else sent_secret(server)
    sent = snippets(model, keep_alive, url, secret=secret)
    return {
        "griptape": sent["griptape"],
        "curl": sent["curl"],
        **server_settings(**settings),
    }


def settings_of(advice: Advice, one: ModelAdvice) -> dict[str, object]:
    """What the server is to be started with; without an advice for it the model's own value."""
    if advice.server is None:
        return {"OLLAMA_KEEP_ALIVE": one.keep_alive}
    return dict(advice.server.settings)
