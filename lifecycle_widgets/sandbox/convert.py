"""Rewrites the weights of a GGUF file in another precision. A script, in a process of its own.

In a process of its own, so that its memory (half a gigabyte) is not seen in the notebook that
measures memory, and so that it can be ended at any time::

    python convert.py SOURCE TARGET Q8_0|F16|F32          write TARGET
    python convert.py --check SOURCE TARGET Q8_0|F16|F32  only compare: exit code 0 or 1

The first prints one line of JSON: ``file`` and ``weights``, two SHA-256 digests. ``file`` is of
the whole file; ``weights`` is of names, types and bytes of the tensors only, which does not
change when another version of the `gguf` package writes the file's head differently. Exit code
28 (ENOSPC) means that the disk is full.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
from typing import Any

if sys.path and sys.path[0] == os.path.dirname(os.path.abspath(__file__)):
    del sys.path[0]  # our own modules must not shadow anybody's

_SKIP = ("GGUF.", "general.architecture", "general.file_type")


def convert(source: str, target: str, kind: str) -> dict[str, str]:
    """Write `source` to `target` with its matrices as `kind`; return the two digests.

    Vectors (norms) stay F32, as in every GGUF. One tensor is in memory at a time.
    """
    import gguf

    reader = _read(source)
    wanted = gguf.GGMLQuantizationType[kind]
    writer = gguf.GGUFWriter(target, reader.fields["general.architecture"].contents())
    writer.add_file_type(gguf.LlamaFileType["ALL_F32" if kind == "F32" else f"MOSTLY_{kind}"])
    for field in reader.fields.values():
        if not field.name.startswith(_SKIP):
            sub_type = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=sub_type)

    kinds = {t.name: wanted if len(t.shape) > 1 else gguf.GGMLQuantizationType.F32
             for t in reader.tensors}  # fmt: skip
    for tensor in reader.tensors:
        _announce(gguf, writer, tensor, kinds[tensor.name])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()

    weights = hashlib.sha256()
    for tensor in reader.tensors:
        data = _in_kind(gguf, tensor, kinds[tensor.name])
        weights.update(f"{tensor.name} {kinds[tensor.name].name} {data.nbytes}\n".encode())
        weights.update(data)
        writer.write_tensor_data(data)
    writer.close()
    return {"file": sha256(target), "weights": weights.hexdigest()}


def _read(path: str) -> Any:
    """A GGUF, read as a plain array: as a `memmap`, whose every slice is one too, the 150,000
    pieces of its head take 1.3 s more."""
    import gguf
    import numpy

    class Reader(gguf.GGUFReader):
        @property
        def data(self) -> Any:
            return self._plain

        @data.setter
        def data(self, mapped: Any) -> None:
            self._plain = mapped.view(numpy.ndarray)

    return Reader(path)


def _announce(gguf: Any, writer: Any, tensor: Any, kind: Any) -> None:
    """Write down name, shape and type, before any weights."""
    shape = [int(size) for size in reversed(tensor.shape)]
    block, block_bytes = gguf.GGML_QUANT_SIZES[kind]
    elements = 1
    for size in shape:
        elements *= size
    dtype = {"F32": "float32", "F16": "float16"}.get(kind.name, "int8")
    writer.add_tensor_info(
        tensor.name, shape, dtype, elements // block * block_bytes, raw_dtype=kind
    )


def _in_kind(gguf: Any, tensor: Any, kind: Any) -> Any:
    """The weights of one tensor, in little-endian rows as they stand in the file."""
    import numpy

    if tensor.tensor_type == kind:
        return numpy.ascontiguousarray(tensor.data)
    full = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
    return numpy.ascontiguousarray(gguf.quants.quantize(full, kind))


def check(source: str, target: str, kind: str) -> str | None:
    """Compare two files weight by weight; what is wrong with `target`, or None."""
    import gguf
    import numpy

    # Half a step of the coarser of the two grids, and a little for the arithmetic.
    tolerance = {"F32": 0.0, "F16": 2**-11, "Q8_0": 0.6 / 127}[kind]
    old, new = _read(source).tensors, _read(target).tensors
    if [(t.name, *t.shape) for t in old] != [(t.name, *t.shape) for t in new]:
        return "other tensors than the source"
    for a, b in zip(old, new, strict=True):
        if b.tensor_type.name != (kind if len(b.shape) > 1 else "F32"):
            return f"{b.name} is {b.tensor_type.name}"
        before = gguf.quants.dequantize(a.data, a.tensor_type)
        after = gguf.quants.dequantize(b.data, b.tensor_type)
        if not numpy.abs(before - after).max() <= tolerance * numpy.abs(before).max():
            return f"{b.name} differs from the source"
    return None


def sha256(path: str) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def main(arguments: list[str]) -> int:
    """Convert one file."""
    try:
        if arguments[:1] == ["--check"]:
            wrong = check(*arguments[1:])
            print(wrong or "the same weights")
            return 1 if wrong else 0
        print(json.dumps(convert(*arguments)))
        return 0
    except OSError as error:
        print(error, file=sys.stderr)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        # numpy says only how many bytes it could not write.
        return errno.ENOSPC if full or error.errno is None else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
