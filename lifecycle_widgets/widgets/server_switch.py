"""ServerSwitch: which Ollama is in use, and the choice between one's own and the sandbox."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import ipywidgets as widgets
import traitlets

from lifecycle_widgets.sandbox import SandboxError
from lifecycle_widgets.server import NOT_TOLD, AnyServer, Server, ServerError, ServerUnreachable
from lifecycle_widgets.widgets.background import Background
from lifecycle_widgets.widgets.base import Composite, Message, ServerTrait
from lifecycle_widgets.widgets.formats import escaped

_OWN, _SANDBOX = "your own Ollama", "private sandbox"
_CLOSE_S = 3.0
_TOOLTIPS = {
    _OWN: "The Ollama that runs on OLLAMA_HOST or on localhost:11434",
    _SANDBOX: "A private, real Ollama with small models; it ends with the kernel",
}


class ServerSwitch(Composite):
    """Says which Ollama is in use, and switches between one's own and the private sandbox.

    Parameters
    ----------
    server:
        A Server, an address or a Sandbox; without one, `Server.find` looks for it.

    Examples
    --------
    >>> switch = ServerSwitch("localhost:1")
    >>> switch.server.url
    'http://localhost:1'
    >>> switch.close()
    """

    server = ServerTrait()
    own = ServerTrait(help="The person's own Ollama, if one answers; for reading.")
    locked = traitlets.Bool(help="Nothing can be switched (while a run goes on).")
    busy = traitlets.Bool(help="A server is being prepared; for reading.")
    progress = traitlets.Unicode(help="What is being done meanwhile; for reading.")
    error = traitlets.Unicode()

    def __init__(self, server: AnyServer = None, **keywords: Any) -> None:
        self._lock = threading.RLock()
        self._background = Background()
        self._showing = False
        self._version, self._gone = "", False
        self._own_fault = ""  # why the own Ollama, which is there, cannot be used
        self._choice = widgets.ToggleButtons(options=[_SANDBOX], style={"button_width": "auto"})
        self._about = widgets.HTML().add_class("lw-grow")
        self._message = Message().add_class("lw-under")
        label = widgets.HTML("server").add_class("lw-label")
        row = widgets.HBox([label, self._choice, self._about]).add_class("lw-row")
        super().__init__([row, self._message], keywords)
        self.add_class("lw-server")
        self.server = server if server is not None else Server.find()
        self._choice.observe(self._chosen, "value")
        self.observe(self._moved, "server")
        self.observe(lambda _: self._show(), ["own", "locked", "busy", "progress", "error"])
        self._show()
        self.look()

    # --- switching -------------------------------------------------------------------------------

    def look(self) -> None:
        """See, in the background, what answers now, in which version, and whether an own one."""
        self._background.start("look", self._look)

    def use_sandbox(self) -> None:
        """Switch to the private sandbox, in the background: preparing it can take minutes."""
        self._begin(lambda: Server.sandbox(progress=self._tell))

    def use_own(self) -> None:
        """Switch to the person's own Ollama, if it answers; else say why not."""
        self._begin(Server.own)

    def close(self) -> None:
        """Remove it. A sandbox that is being prepared is finished, for the next time."""
        self._background.close(_CLOSE_S)
        super().close()

    def _begin(self, find: Callable[[], Server | None]) -> None:
        with self._lock:
            if self.busy or self.locked:
                self._show()  # the buttons go back to what is in use
                return
            self.busy, self.progress, self.error = True, "looking…", ""
        if not self._background.start("switch", lambda: self._switch(find)):
            self.busy = False

    def _switch(self, find: Callable[[], Server | None]) -> None:
        try:
            found = find()
            if found is None:
                raise ServerUnreachable(
                    "No Ollama of your own answers, neither on OLLAMA_HOST nor on "
                    "localhost:11434. Start it ('ollama serve'), then switch again."
                )
            if not self._background.closed:
                self.server = found
        except (SandboxError, ServerError, OSError, ValueError) as fault:
            self.error = str(fault)  # ServerUnreachable is an OSError
        finally:
            self.busy, self.progress = False, ""

    def _tell(self, progress: object) -> None:
        if not self._background.closed:
            self.progress = str(progress)

    # --- what is shown ---------------------------------------------------------------------------

    def _moved(self, _: Any) -> None:
        self._version, self._gone = "", False
        self._show()
        self.look()

    def _look(self) -> None:
        server = self.server
        version, gone = _version(server)
        own, fault = _own()
        if self._background.closed or server is not self.server:
            return
        with self._lock:
            self._version, self._gone, self._own_fault = version, gone, fault
            self.own = own if own is not None and not own.is_sandbox else None
            self._show()

    def _kind(self) -> str:
        """The button of the server that is in use."""
        if self.server is None:
            return _SANDBOX
        if self._gone:  # so that a sandbox that has ended can be chosen, and is started anew
            return urlsplit(self.server.url).netloc
        if self.server.is_sandbox:
            return _SANDBOX
        if self.own is not None and self.own.url == self.server.url:
            return _OWN
        return urlsplit(self.server.url).netloc

    def _show(self) -> None:
        with self._lock:
            kind = self._kind()
            has_own = self.own is not None or self._own_fault
            offered = ([_OWN] if has_own else []) + [_SANDBOX]
            options = offered if kind in offered else [kind, *offered]
            self._showing = True
            try:
                if list(self._choice.options) != options:
                    self._choice.options = options
                    self._choice.tooltips = [_TOOLTIPS.get(name, name) for name in options]
                self._choice.value = kind
            finally:
                self._showing = False
            self._choice.disabled = self.busy or self.locked
            self._choice.layout.display = None if len(options) > 1 else "none"
            about = self.progress or self._words()
            self._about.value = f'<span class="lw-muted">{escaped(about)}</span>'
            self._message.show(self.error or self._aside(), is_error=bool(self.error))

    def _words(self) -> str:
        if self.server is None:
            return ""
        told = self._version != NOT_TOLD
        version = f" {self._version}" if self._version and told else ""
        place = "" if self.server.is_local else ", on another machine"
        kind = f"{_SANDBOX}: " if len(self._choice.options) == 1 else ""
        silent = "" if told else ", version not told"
        return f"{kind}Ollama{version} at {self.server.url}{place}{silent}"

    def _aside(self) -> str:
        """What to know of the own Ollama while another one is in use."""
        is_in_use = self.server is not None and self.server.url in self._own_fault
        return f"Your own Ollama: {self._own_fault}" if self._own_fault and not is_in_use else ""

    def _chosen(self, change: Any) -> None:
        if self._showing:
            return
        if change["new"] == _SANDBOX:
            self.use_sandbox()
        elif change["new"] == _OWN:
            self.use_own()
        else:
            self._show()

    def _in_short(self) -> str:
        return repr(self.server.url) if self.server is not None else ""


def _version(server: Server | None) -> tuple[str, bool]:
    """The server's version ("" when it gives none now), and whether it is gone."""
    try:
        return (server.version if server is not None else ""), False
    except ServerUnreachable:
        return "", True
    except ServerError:  # something answers, such as a gateway in front of it
        return "", False


def _own() -> tuple[Server | None, str]:
    """The person's own Ollama; None, and why, when it is there and cannot be used."""
    try:
        own = Server.own()
    except Exception as fault:  # also a warning that somebody has made an error: a look must end
        return None, str(fault)
    if own is not None:
        own.close()  # it is only offered: its connection must not stay open
    return own, ""
