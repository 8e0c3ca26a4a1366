"""A real model that only makes embeddings: the sandbox's small one, whose file says so."""

from __future__ import annotations

from pathlib import Path

from gguf import GGUFReader, GGUFValueType, GGUFWriter
from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata

from lifecycle_widgets.server import Server
from tests.sandbox.sandbox_tools import weights

EMBEDDER = "embedder"
_MEAN = 1  # of all tokens: the kind of pooling


def make_embedder(server: Server, folder: Path) -> None:
    """Install it on a sandbox's server."""
    reader, path = GGUFReader(weights()), folder / "embedder.gguf"
    pools = MetadataDetails(GGUFValueType.UINT32, _MEAN)
    writer = GGUFWriter(path, "llama")
    copy_with_new_metadata(reader, writer, {"llama.pooling_type": pools}, [])
    digest = server.client.create_blob(path)
    path.unlink()
    server.client.create(model=EMBEDDER, files={"model.gguf": digest})
