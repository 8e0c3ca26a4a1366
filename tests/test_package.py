"""The wheel and the sdist: built, and installed into a clean environment without the clone."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
        timeout=300,
    )
    return folder


@pytest.mark.slow
def test_the_wheel_holds_the_notebooks_and_the_widgets_files(built: Path) -> None:
    names = zipfile.ZipFile(next(built.glob("*.whl"))).namelist()
    assert "lifecycle_widgets/notebooks/00_start_here.ipynb" in names
    assert "lifecycle_widgets/py.typed" in names
    for path in (ROOT / "lifecycle_widgets").rglob("*"):
        if path.suffix in (".py", ".js", ".css"):
            assert str(path.relative_to(ROOT)) in names
    assert not [n for n in names if n.startswith("tests")]


@pytest.mark.slow
def test_the_sdist_can_be_tested_from(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = [n.split("/", 1)[1] for n in archive.getnames()]
    assert {"Makefile", "pyproject.toml", "README.md", "LICENSE", "environment.yml"} <= set(names)
    assert "notebooks/00_start_here.ipynb" in names
    assert "tests/conftest.py" in names


@pytest.mark.slow
def test_a_clean_environment_runs_from_the_wheel_alone(built: Path, tmp_path: Path) -> None:
    """Everything it imports is declared, and the lab's command brings the notebooks."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    wheel = next(built.glob("*.whl"))
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", wheel],
        check=True,
        capture_output=True,
        timeout=600,
    )
    code = (
        "import lifecycle_widgets as lw; [getattr(lw, n) for n in lw.__all__]\n"
        "from lifecycle_widgets.cli import put_notebooks; from pathlib import Path\n"
        "print(put_notebooks(Path('mine')))\n"
        "with lw.Sandbox() as s:\n"
        "    run = lw.run_agent('Say hello.', model='smollm2:135m', keep_alive=0,\n"
        "                       server=lw.Server(s.url), options={'num_predict': 8})\n"
        "    print(run.timings.output_tokens)\n"
    )
    done = subprocess.run(
        [python, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "8"
    assert (tmp_path / "mine" / "00_start_here.ipynb").exists()
    script = tmp_path / "venv" / "bin" / "lifecycle-lab"
    assert "FOLDER" in subprocess.check_output([script, "--help"], text=True)
