"""Facts: who may ask: the rules for Origin and Host."""

from __future__ import annotations

from functools import partial

from lifecycle_widgets.facts.fact import Fact, add, fact
from lifecycle_widgets.facts.lab import Lab
from lifecycle_widgets.facts.outcomes import CannotTry, require_equal

TOPIC = "Who may ask"
_CORS = "envconfig/config.go, AllowedOrigins"
_HOST = "server/routes.go, allowedHostsMiddleware"

ORIGINS = {
    "http://localhost": 200, "http://localhost:8888": 200, "https://127.0.0.1:8888": 200,
    "http://0.0.0.0:3000": 200, "vscode-webview://panel": 200, "app://x": 200, "file://x": 200,
    "tauri://x": 200, "null": 403, "http://[::1]:8888": 403, "https://hub.example.org": 403,
    "chrome-extension://abc": 403,
}  # fmt: skip
HOSTS = {
    "localhost": 200, "localhost:99": 200, "127.0.0.1": 200, "192.168.1.5": 200, "10.0.0.9": 200,
    "0.0.0.0": 200, "box.local": 200, "box.internal": 200, "a.localhost": 200,
    "evil.example.org": 403, "8.8.8.8": 403,
}  # fmt: skip


def _origin(origin: str, status: int, lab: Lab) -> None:
    for path in ("/api/version", "/api/tags"):
        reply = lab.http.get(path, headers={"Origin": origin})
        require_equal(reply.status_code, status, f"{path}: status")
    if status == 403:
        require_equal(reply.text, "", "body")


def _host(host: str, status: int, lab: Lab) -> None:
    if not lab.server.is_local:
        raise CannotTry("is a rule of servers that listen on this machine only")
    reply = lab.http.get("/api/version", headers={"Host": host})
    require_equal(reply.status_code, status, "status")


for _text, _status in ORIGINS.items():
    add(
        Fact(
            name=f"Origin {_text}",
            sentence=f"A page with Origin {_text} {'may' if _status == 200 else 'may not'} ask.",
            topic=TOPIC,
            trial=partial(_origin, _text, _status),
            source=_CORS,
        )
    )
for _text, _status in HOSTS.items():
    add(
        Fact(
            name=f"Host {_text}",
            sentence=f"On loopback, a request for the host {_text} is "
            f"{'answered' if _status == 200 else 'refused: 403'}.",
            topic=TOPIC,
            trial=partial(_host, _text, _status),
            source=_HOST,
        )
    )


@fact(TOPIC, "Without an Origin (curl, a kernel) everybody may ask; there is no password.",
      source=_CORS)  # fmt: skip
def without_an_origin(lab: Lab) -> None:
    require_equal(lab.http.get("/api/tags").status_code, 200, "status")


@fact(TOPIC, "OLLAMA_ORIGINS adds origins; the usual ones stay.", source=_CORS)
def more_origins(lab: Lab) -> None:
    with lab.private(OLLAMA_ORIGINS="https://hub.example.org,chrome-extension://*") as own:
        _origin("https://hub.example.org", 200, own)
        _origin("chrome-extension://abc", 200, own)
        _origin("http://localhost:8888", 200, own)
        _origin("https://other.example.org", 403, own)
