"""Between Ollama and the sandbox's runner: passes everything on, and makes trouble with answers.

The native HTTP server of llama.cpp knows no trouble, so it listens on another port of 127.0.0.1,
and a proxy stands at the port that Ollama knows. All bytes go through as they are; only the lines
that carry tokens are looked at. Ollama asks POST /completion where it renders the prompt itself,
and POST /v1/chat/completions where llama.cpp does; both answer in lines that begin with `data: `.
"""

from __future__ import annotations

import http.server
import json
import math
import os
import re
import select
import signal
import socket
import socketserver
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lifecycle_widgets.sandbox.trouble import Answer, Trouble

_ANSWERS = ("/completion", "/v1/chat/completions")


def before_load(trouble: Trouble, params: Any) -> Proxy | None:
    """What goes wrong before the model is read. Returns what must be opened after that."""
    trouble.before_load()
    if not trouble.changes_answers:
        return None
    wanted, params.port = params.port, free_port()
    return Proxy(trouble, wanted, params.port)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Proxy(socketserver.ThreadingTCPServer):
    """Listens where Ollama asks, and passes on to the native server, with trouble."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, trouble: Trouble, port: int, native_port: int) -> None:
        # like the native one, it must not listen before the model is loaded: see `open`
        super().__init__(("127.0.0.1", port), _Request, bind_and_activate=False)
        self.trouble, self.native_port = trouble, native_port
        self._lock, self._busy, self._idle_since_s = threading.Lock(), 0, math.inf

    def open(self) -> None:
        """Begin to serve."""
        self.server_bind()
        self.server_activate()
        self._idle_since_s = time.monotonic()
        threading.Thread(target=self.serve_forever, daemon=True).start()
        if self.trouble.crash_idle_after_s < math.inf:
            threading.Thread(target=self._crash_when_idle, daemon=True).start()

    def answering(self, change: int) -> None:
        """One answer more (1) or less (-1) is being given."""
        with self._lock:
            self._busy += change
            self._idle_since_s = math.inf if self._busy else time.monotonic()

    def _crash_when_idle(self) -> None:
        while True:
            time.sleep(0.02)
            with self._lock:
                if time.monotonic() - self._idle_since_s >= self.trouble.crash_idle_after_s:
                    _crash()


class _Request(http.server.BaseHTTPRequestHandler):
    server: Proxy

    def log_message(self, *_: object) -> None:
        """Ollama's log has these."""

    def do_GET(self) -> None:
        """Answer one request, a POST as well."""
        self.close_connection = True
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path not in _ANSWERS:
            return self._pass_on(body)
        self.server.answering(1)
        try:
            asked = json.loads(body)
            script = self.server.trouble.script_for(str(asked.get("prompt")))
            if not script:
                return self._pass_on(body)
            answer = _turn(script, asked)
            return self._send(_scripted(answer, asked), answer.token_s)
        finally:
            self.server.answering(-1)

    do_POST = do_GET

    def _pass_on(self, body: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self.server.native_port)) as native:
            kept = (f"{k}: {v}" for k, v in self.headers.items() if k.lower() != "connection")
            head = [f"{self.command} {self.path} HTTP/1.1", *kept, "Connection: close", "", ""]
            native.sendall("\r\n".join(head).encode("latin-1") + body)
            # a prompt may take long to read: whoever asked may go meanwhile
            if self.connection not in select.select([native, self.connection], [], [])[0]:
                self._send(native.makefile("rb"))

    def _send(self, lines: Iterable[bytes], token_s: float = 0.0) -> None:
        tokens, trouble = 0, self.server.trouble
        for line in lines:
            is_token = _is_token(line)
            tokens += is_token
            if is_token and tokens == trouble.crash_at_token:
                _crash()
            pause_s = trouble.token_delay_s + token_s if is_token else 0.0
            if select.select([self.connection], [], [], pause_s)[0]:
                return  # Ollama has gone: it sends nothing more when it stays
            try:
                self.wfile.write(line)
            except OSError:
                return


def _is_token(line: bytes) -> bool:
    """Whether a line of an answer brings text."""
    if not line.startswith(b"data: {"):
        return False
    try:
        event = json.loads(line[len("data: ") :])
    except ValueError:
        return False
    choices = event.get("choices") or [{}]
    delta = choices[0].get("delta") or event
    return any(delta.get(key) for key in ("content", "reasoning_content", "tool_calls"))


# --- scripted answers -----------------------------------------------------------------------------


def _turn(script: tuple[Answer, ...], asked: Mapping[str, Any]) -> Answer:
    """The answer for a conversation that has got so many already."""
    if "messages" in asked:
        given = sum(1 for message in asked["messages"] if message.get("role") == "assistant")
    else:  # the prompt, rendered by the template; it ends where the next answer begins
        given = str(asked.get("prompt")).count("<|im_start|>assistant") - 1
    return script[max(0, min(given, len(script) - 1))]


def _scripted(answer: Answer, asked: Mapping[str, Any]) -> Iterator[bytes]:
    """The lines in which the native server would say this."""
    is_chat, began_s = "messages" in asked, time.monotonic()
    yield b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"
    yield b"Transfer-Encoding: chunked\r\n\r\n"
    count = 0
    for delta in _chat_deltas(answer) if is_chat else _text_deltas(answer):
        count += 1
        yield from _event({"choices": [{"delta": delta}]} if is_chat else delta | {"stop": False})
    spent = (time.monotonic() - began_s) * 1e3
    words = len(str(asked.get("prompt") or asked.get("messages")).split())
    end: dict[str, Any] = {
        "timings": {"prompt_n": words, "predicted_n": count, "predicted_ms": spent}
    }
    if is_chat:
        reason = "tool_calls" if answer.tool_calls else "stop"
        end["choices"] = [{"delta": {}, "finish_reason": reason}]
    else:
        end |= {"content": "", "stop": True, "stop_type": "eos"}
    yield from _event(end)
    yield b"0\r\n\r\n"


def _event(event: Mapping[str, Any]) -> Iterator[bytes]:
    data = f"data: {json.dumps(event)}\n\n".encode()
    yield b"%x\r\n" % len(data)
    yield data + b"\r\n"


def _tokens(text: str) -> list[str]:
    return re.findall(r"\s*\S+|\s+$", text)


def _text_deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    """For /completion: one text, which Ollama takes apart by the tags of `TEMPLATE`."""
    thinking = f"<think>\n{answer.thinking}\n</think>\n\n" if answer.thinking else ""
    calls = (f"<tool_call>\n{json.dumps(call)}\n</tool_call>" for call in answer.tool_calls)
    for token in _tokens(thinking + answer.text + "\n".join(calls)):
        yield {"content": token}


def _chat_deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    """For /v1/chat/completions, where llama.cpp takes the text apart."""
    for token in _tokens(answer.thinking):
        yield {"reasoning_content": token}
    for token in _tokens(answer.text):
        yield {"content": token}
    for index, call in enumerate(answer.tool_calls):
        function = {"name": call["name"], "arguments": json.dumps(call["arguments"])}
        yield {"tool_calls": [{"index": index, "id": f"call_{index}", "function": function}]}
