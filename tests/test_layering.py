"""Imports go down DESIGN's list and never up; nothing outside widgets draws; importing is cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import lifecycle_widgets

PACKAGE = Path(lifecycle_widgets.__file__).parent

# what each part may import of the package, beside itself
MAY_IMPORT = {
    "go_duration": set(),
    "keep_alive_advice": {"go_duration"},
    "keep_alive": {"go_duration", "keep_alive_advice"},
    "whole_files": set(),
    "short_texts": set(),
    "waiting": set(),
    "runs": {"keep_alive", "short_texts", "whole_files"},
    "scheduler": {"keep_alive"},
    "sandbox": set(),
    "error_advice": set(),
    "container_memory": set(),
    "model_colors": set(),
    "neighbours": set(),
    "terms": set(),
    "lessons": {"experiments", "monitor", "neighbours", "server"},
    "server": {"error_advice", "keep_alive", "sandbox", "short_texts"},
    "agent": {"error_advice", "keep_alive", "runs", "server", "short_texts", "waiting"},
    "monitor": {"container_memory", "go_duration", "keep_alive", "runs", "server"},
    "history": {"agent", "keep_alive", "monitor", "runs", "server", "short_texts", "whole_files"},
    "facts": {"server", "monitor", "sandbox"},
    "doctor": {
        "error_advice",
        "facts",
        "history",
        "keep_alive",
        "go_duration",
        "monitor",
        "runs",
        "server",
        "short_texts",
    },
    "advisor": {
        "agent",
        "experiments",
        "go_duration",
        "history",
        "keep_alive",
        "monitor",
        "runs",
        "scheduler",
        "server",
        "short_texts",
        "whole_files",
    },
    "watch": {"history", "keep_alive", "monitor", "runs", "server", "short_texts", "waiting"},
    "griptape_code": {"keep_alive"},
    "code_snippets": {"griptape_code", "keep_alive"},
    "experiments": {
        "model_colors",
        "neighbours",
        "terms",
        "waiting",
        "container_memory",
        "keep_alive",
        "runs",
        "server",
        "agent",
        "monitor",
        "sandbox",
        "whole_files",
    },
    "widgets": {
        "terms",
        "advisor",
        "model_colors",
        "keep_alive",
        "runs",
        "server",
        "agent",
        "monitor",
        "history",
        "doctor",
        "sandbox",
        "code_snippets",
        "griptape_code",
        "experiments",
        "short_texts",
        "waiting",
        "whole_files",
    },
    "magic": {"keep_alive", "runs", "server", "agent"},
    "cli": {
        "container_memory",
        "experiments",
        "neighbours",
        "advisor",
        "doctor",
        "facts",
        "history",
        "keep_alive",
        "monitor",
        "runs",
        "sandbox",
        "server",
        "short_texts",
        "watch",
    },
}
DRAWS = {"ipywidgets", "plotly", "IPython", "anywidget", "matplotlib"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Every module that the file imports, at its top or in a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import; write it in full"
            yield node.module or ""


def only_for_types(path: Path, root: str) -> bool:
    """True when the file imports it for type checkers alone."""

    def imports(node: ast.AST) -> int:
        found = (n for n in ast.walk(node) if isinstance(n, ast.Import))
        return sum(name.name.partition(".")[0] == root for n in found for name in n.names)

    tree = ast.parse(path.read_text())
    guarded = [
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    return imports(tree) == sum(map(imports, guarded))


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    part = part_of(path)
    if part == "__init__":
        return  # the front door: names of all parts, imported lazily
    for module in imported(path):
        root, _, rest = module.partition(".")
        if root == "lifecycle_widgets":
            target = rest.split(".")[0]
            allowed = MAY_IMPORT[part] | {part, ""}
            assert target in allowed, f"{part} may not import {target} ({path})"
        if part == "magic" and root == "IPython":
            continue  # a face as well: it is imported by %load_ext alone
        if part != "widgets" and root in DRAWS:
            # the pictures of results, which are imported when one is asked for
            assert root == "plotly", f"only widgets draws, but {path} imports {root}"
            assert path.parent.name == "figures" or only_for_types(path, root), (
                f"only experiments/figures draws, but {path} imports {root}"
            )


def test_no_two_files_import_each_other() -> None:
    """Nor do three in a ring; not for types alone either."""
    names = {name_of(path): path for path in modules()}
    graph = {name: set(ours(path, names)) - {name} for name, path in names.items()}
    done: set[str] = set()

    def follow(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, f"a ring: {' -> '.join((*way, name))}"
        if name not in done:
            for other in graph[name]:
                follow(other, (*way, name))
            done.add(name)

    for name in graph:
        follow(name, ())


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def ours(path: Path, names: dict[str, Path]) -> Iterator[str]:
    """Our own modules that the file imports, at its top, in a function, or for type checkers."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole, parent = f"{node.module}.{alias.name}", node.module or ""
                yield from [name for name in (whole, parent) if name in names][:1]


def test_every_part_is_in_the_list() -> None:
    assert {part_of(p) for p in modules()} == {*MAY_IMPORT, "__init__"}


def test_every_public_name_is_there() -> None:
    for name in lifecycle_widgets.__all__:
        assert getattr(lifecycle_widgets, name) is not None
    assert set(lifecycle_widgets.__all__) == set(dir(lifecycle_widgets))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = lifecycle_widgets.nonsense


def loaded_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*{{m.split('.')[0] for m in sys.modules}})"
    return set(subprocess.check_output([sys.executable, "-c", code], text=True).split())


def test_importing_loads_nothing_heavy() -> None:
    heavy = {
        *DRAWS,
        "griptape",
        "ollama",
        "httpx",
        "numpy",
        "psutil",
        "pynvml",
        "pandas",
        "scipy",
        "itables",
        "numba",
        "distributed",
        "pyarrow",
    }
    assert not loaded_after("import lifecycle_widgets") & heavy
    assert not loaded_after("import lifecycle_widgets as lw; lw.KeepAlive('5m')") & heavy


def test_griptape_is_imported_when_first_used() -> None:
    assert "griptape" not in loaded_after("import lifecycle_widgets as lw; lw.TuningLab")


def test_the_sandboxs_program_needs_only_the_standard_library() -> None:
    """`make lab` builds it while pip installs the rest."""
    loaded = loaded_after("import lifecycle_widgets.sandbox.program")
    assert not loaded & {"platformdirs", "filelock", "psutil", "xllamacpp", "gguf", "httpx"}
