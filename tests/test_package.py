"""The wheel and the sdist: built, and installed into a clean environment without the clone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

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


def needed(package: Distribution) -> dict[str, Distribution]:
    """What a package declares to need, and what that declares, as it is installed here."""
    found: dict[str, Distribution] = {}
    waiting = [(text, "") for text in package.requires or ()]
    while waiting:
        text, extra = waiting.pop()
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        for wanted in requirement.extras or {""}:
            key = f"{requirement.name}[{wanted}]"
            if key not in found:
                found[key] = distribution(requirement.name)
                waiting += [(more, wanted) for more in found[key].requires or ()]
    return found


def put(file: Path, place: Path) -> None:
    """Put a file there as well: the same one, or a copy where that is another disk."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        try:
            os.link(file, place)
        except OSError:
            shutil.copy2(file, place)


def clean_environment(folder: Path, wheel: Path) -> Path:
    """The Python of one that has the wheel and what it declares to need, and nothing else.

    pip chose and fetched all that when the environment of the tests was made; from there it is
    taken, so that a gigabyte is neither fetched nor unpacked once more.
    """
    venv.create(folder)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", str(wheel)]
    subprocess.run(pip, check=True, capture_output=True, timeout=120)
    site = sysconfig.get_path("purelib", vars={"base": str(folder)})
    [ours] = distributions(path=[site])
    for package in needed(ours).values():
        for file in package.files or ():
            from_ = Path(os.path.normpath(str(file.locate())))
            if from_.exists():  # what pip compiled may be gone
                put(from_, folder / from_.relative_to(sys.prefix))
    subprocess.run([python, "-m", "pip", "check"], check=True, capture_output=True, timeout=120)
    return python


@pytest.mark.slow
def test_a_clean_environment_runs_from_the_wheel_alone(built: Path, tmp_path: Path) -> None:
    """Everything it imports is declared, and the lab's command brings the notebooks."""
    python = clean_environment(tmp_path / "venv", next(built.glob("*.whl")))
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
