"""A saved result is read again in a new process, whatever experiment it is of."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

KINDS = ("cold_and_warm", "downstream", "in_a_loop", "in_a_row", "in_turn")
READ = """
import sys
from lifecycle_widgets.experiments import load_result
for folder in sys.argv[1:]:
    print(load_result(folder).kind)
"""


def test_each_kind_is_found_where_it_is_at_home(tmp_path: Path) -> None:
    for kind in KINDS:
        place = tmp_path / kind
        place.mkdir()
        (place / "frame.csv").write_text("round\n1\n")
        about = {"format": 1, "kind": kind, "types": {"round": "int64"}, "facts": {}}
        (place / "facts.json").write_text(json.dumps(about))
    command = [sys.executable, "-c", READ, *(str(tmp_path / kind) for kind in KINDS)]
    assert tuple(subprocess.check_output(command, text=True).split()) == KINDS
