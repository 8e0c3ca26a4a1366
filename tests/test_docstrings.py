"""Every example in a docstring and every Python block of README.md runs, on a real Ollama."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import lifecycle_widgets
from lifecycle_widgets.sandbox import MODELS, Sandbox
from lifecycle_widgets.server import Server
from tests.conftest import found_first

ROOT = Path(__file__).parent.parent
# the runner and the guard are programs, started by a path; importing them means nothing
PROGRAMS = ("sandbox.runner", "sandbox.guard", "sandbox.__main__")


def module_names() -> list[str]:
    found = pkgutil.walk_packages(lifecycle_widgets.__path__, "lifecycle_widgets.")
    return ["lifecycle_widgets"] + [m.name for m in found if not m.name.endswith(PROGRAMS)]


@pytest.fixture(scope="module", autouse=True)
def brief() -> Iterator[None]:
    """A sandbox whose models answer in 48 tokens at most, where an example sets no limit."""
    with Sandbox() as sandbox, pytest.MonkeyPatch.context() as environment:
        client = Server(sandbox.url).client
        for name in MODELS:
            client.create(model=name, from_=name, parameters={"num_predict": 48})
        found_first(sandbox, environment)
        yield


@pytest.mark.parametrize("name", module_names())
def test_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert failed == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    "code", re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
)
def test_readme(code: str) -> None:
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
