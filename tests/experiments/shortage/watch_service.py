"""`lifecycle-lab watch` as a service of a user's systemd: what runs on the Debian of the tests.

It is there, and not in tests/watch, since to boot a Debian takes longer than all tests of a watch.
"""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

NEEDS = ("httpx", "httpcore", "h11", "anyio", "sniffio", "certifi", "idna", "psutil")
STAND_IN = """
import http.server, json, pathlib

class Ollama(http.server.BaseHTTPRequestHandler):
    answers = {"/api/version": {"version": "0.33.0"}, "/api/ps": {"models": []}}
    def do_GET(self):
        body = json.dumps(self.answers.get(self.path, {})).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", 11434), Ollama).serve_forever()
"""
SCRIPT = """#!/bin/bash
# as the user: install what it prints, begin, end
export PYTHONPATH=/opt/needed:/opt/src PYTHONDONTWRITEBYTECODE=1
cd /opt/src
python3 stand_in.py & stand_in=$!
unit=~/.config/systemd/user/lifecycle-watch.service
mkdir -p "${unit%/*}"
python3 -m lifecycle_widgets.cli watch box=127.0.0.1:11434 --json --interval 1 --no-history \
    --service systemd > "$unit"
systemctl --user enable --now lifecycle-watch
for _ in $(seq 60); do
    journalctl --user --unit lifecycle-watch -o cat | grep -q '"sample"' && break; sleep 0.5
done
echo "ENABLED: $(systemctl --user is-enabled lifecycle-watch)"
echo "ACTIVE: $(systemctl --user is-active lifecycle-watch)"
systemctl --user stop lifecycle-watch
systemctl --user show lifecycle-watch -p Result -p ActiveState -p ExecMainStatus -p NoNewPrivileges
echo "PRINTED: $(journalctl --user --unit lifecycle-watch -o cat | grep -m 1 '"there"')"
kill $stand_in
"""


def put_into(opt: Path) -> None:
    """The script, the server that it watches, and what the package needs of ours."""
    (opt / "src" / "stand_in.py").write_text(STAND_IN)
    (opt / "watch").write_text(SCRIPT)
    (opt / "watch").chmod(0o755)
    for name in NEEDS:
        found = importlib.util.find_spec(name)
        if found is not None and found.submodule_search_locations:
            shutil.copytree(found.submodule_search_locations[0], opt / "needed" / name)
    typing_extensions = importlib.util.find_spec("typing_extensions")
    if typing_extensions is not None and typing_extensions.origin is not None:
        shutil.copy(typing_extensions.origin, opt / "needed")


def verify(told: str) -> None:
    """What the script has printed."""
    assert "ENABLED: enabled" in told, told
    assert "ACTIVE: active" in told, told
    ended = ("ActiveState=inactive", "Result=success", "ExecMainStatus=0", "NoNewPrivileges=yes")
    assert [one for one in ended if one not in told] == [], told
    assert '"version": "0.33.0"' in told.partition("PRINTED: ")[2], told
