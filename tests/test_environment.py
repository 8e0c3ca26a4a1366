"""environment.yml (conda, Binder) agrees with pyproject.toml; conda itself is not run here."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent


def named(requirement: str) -> tuple[str, str]:
    match = re.fullmatch(r"([A-Za-z0-9_.-]+)(.*)", requirement)
    assert match, requirement
    return match.group(1).lower().replace("_", "-"), match.group(2).strip()


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def conda() -> list[Any]:
    return yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]


def test_bounds_agree(project: dict[str, Any], conda: list[Any]) -> None:
    [python] = (bound.strip("=") for name, bound in map(named, conda[:-1]) if name == "python")
    there = {"python_version": python}
    parsed = [Requirement(r) for r in project["dependencies"]]
    wanted = {r.name: str(r.specifier) for r in parsed if not r.marker or r.marker.evaluate(there)}
    for name, bound in (named(r) for r in conda if isinstance(r, str)):
        if name not in ("python", "ollama"):
            assert bound == wanted[name], f"{name} differs from pyproject.toml"


def test_pip_installs_this_package_with_the_rest(conda: list[Any]) -> None:
    assert conda[-1] == {"pip": ["--editable .[test]"]}


def test_the_python_is_one_that_we_support(project: dict[str, Any], conda: list[Any]) -> None:
    # Binder takes an exact version only
    version = next(bound for name, bound in map(named, conda[:-1]) if name == "python")
    assert re.fullmatch(r"=3\.\d+", version)
    assert project["requires-python"] == ">=3.10"
    assert 10 <= int(version.split(".")[1]) <= 13


def test_it_brings_a_model_server(conda: list[Any]) -> None:
    assert "ollama" in conda
