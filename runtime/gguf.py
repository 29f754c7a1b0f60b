"""GGUF file -> metadata values and tensors, mapped and checked against the file's size.

Reads versions 2 and 3, little-endian. Arrays of strings (the vocabulary) are only counted:
the tokenizer reader of `tokenizers_lite` owns those.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from runtime.blocks import KINDS, Bytes, Tensor, checked
from runtime.errors import ModelFileError

MAGIC = b"GGUF"
_SCALARS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
_STRING, _ARRAY = 8, 9
_KIND_IDS = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    6: "Q5_0",
    7: "Q5_1",
    8: "Q8_0",
    10: "Q2_K",
    11: "Q3_K",
    12: "Q4_K",
    13: "Q5_K",
    14: "Q6_K",
    20: "IQ4_NL",
    28: "F64",
    30: "BF16",
}


@dataclass(frozen=True, slots=True)
class StringArray:
    """Stands for an array of strings that was counted, not read."""

    count: int


class _Cursor:
    """Little-endian reads that cannot leave the file."""

    def __init__(self, data: Bytes, file: str) -> None:
        self.data = data
        self.view = data.data
        self.file = file
        self.at = 0

    def skip(self, count: int, what: str) -> int:
        """Step over ``count`` bytes and return where they start."""
        start = self.at
        if count < 0 or count > len(self.view) - start:
            raise ModelFileError(
                f"{what} runs past the end of the file ({len(self.view)} bytes): it is truncated, fetch it again",
                file=self.file,
                field=f"offset {start:#x}",
                value=count,
            )
        self.at = start + count
        return start

    def scalar(self, code: str, what: str) -> Any:
        start = self.skip(struct.calcsize(code), what)
        return struct.unpack_from(code, self.view, start)[0]

    def string(self, what: str) -> str:
        count = self.scalar("<Q", what)
        start = self.skip(count, what)
        return bytes(self.view[start : start + count]).decode("utf-8", "replace")

    def value(self, kind: int, key: str) -> Any:
        if kind == _STRING:
            return self.string(key)
        if kind in _SCALARS:
            return self.scalar(_SCALARS[kind], key)
        if kind == _ARRAY:
            return self.array(key)
        raise ModelFileError("unknown value type", file=self.file, field=key, value=kind)

    def skip_strings(self, count: int, key: str) -> StringArray:
        """Step over strings; a loop without calls, since a vocabulary has hundreds of thousands."""
        at, view, length = self.at, self.view, struct.Struct("<Q").unpack_from
        try:
            for _ in range(count):
                at += 8 + length(view, at)[0]
        except (struct.error, OverflowError):
            at = len(view) + 1
        self.skip(at - self.at, key)
        return StringArray(count)

    def array(self, key: str) -> Any:
        kind = self.scalar("<I", key)
        count = self.scalar("<Q", key)
        if kind == _STRING:
            return self.skip_strings(count, key)
        if kind not in _SCALARS:
            raise ModelFileError("arrays of this type are not supported", file=self.file, field=key, value=kind)
        dtype = np.dtype(_SCALARS[kind])
        start = self.skip(count * dtype.itemsize, key)
        return np.frombuffer(self.view[start : self.at], dtype=dtype).tolist()


class GGUFFile:
    """An opened GGUF file: `metadata` by key and `tensors` by name.

    Raises:
        ModelFileError: not a GGUF file, a version or tensor type that is not supported, or any
            length, count or offset that does not fit the file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        if os.path.getsize(self.path) < 24:
            raise ModelFileError("the file is too short to be GGUF", file=self.path, value=os.path.getsize(self.path))
        self._data: Bytes = np.memmap(self.path, dtype=np.uint8, mode="r")
        cursor = _Cursor(self._data, self.path)
        tensor_count, key_count = self._header(cursor)
        self.metadata: dict[str, Any] = {}
        for _ in range(key_count):
            key = cursor.string("a key")
            self.metadata[key] = cursor.value(cursor.scalar("<I", key), key)
        self._end_of_metadata = cursor.at
        self.tensors = self._read_tensors(cursor, tensor_count)

    def _header(self, cursor: _Cursor) -> tuple[int, int]:
        if bytes(cursor.view[:4]) != MAGIC:
            raise ModelFileError("not a GGUF file", file=self.path, field="offset 0x0", value=bytes(cursor.view[:4]))
        cursor.skip(4, "magic")
        version = cursor.scalar("<I", "version")
        if version not in (2, 3):
            raise ModelFileError(
                "only little-endian GGUF versions 2 and 3 are read", file=self.path, field="version", value=version
            )
        return cursor.scalar("<Q", "tensor count"), cursor.scalar("<Q", "key count")

    def _read_tensors(self, cursor: _Cursor, count: int) -> dict[str, Tensor]:
        infos = []
        for _ in range(count):
            name = cursor.string("a tensor name")
            axes = cursor.scalar("<I", name)
            if axes > 4:
                raise ModelFileError("a tensor has at most 4 axes", file=self.path, field=name, value=axes)
            shape = tuple(cursor.scalar("<Q", name) for _ in range(axes))[::-1]
            infos.append((name, shape, cursor.scalar("<I", name), cursor.scalar("<Q", name)))
        alignment = self.metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment < 1:
            raise ModelFileError("bad alignment", file=self.path, field="general.alignment", value=alignment)
        base = -(-cursor.at // alignment) * alignment
        return {name: self._tensor(name, shape, kind, base + offset) for name, shape, kind, offset in infos}

    def _tensor(self, name: str, shape: tuple[int, ...], kind_id: int, start: int) -> Tensor:
        if kind_id not in _KIND_IDS:
            raise ModelFileError(
                f"tensor type not supported; requantise the file to one of {', '.join(_KIND_IDS.values())}",
                file=self.path,
                field=name,
                value=kind_id,
            )
        kind = KINDS[_KIND_IDS[kind_id]]
        size = kind.size
        for axis in shape:
            size *= axis
        size //= kind.block
        if start + size > len(self._data):
            raise ModelFileError(
                f"the tensor ends at byte {start + size} of {len(self._data)}: the file is truncated, fetch it again",
                file=self.path,
                field=name,
                value=shape,
            )
        return checked(name, kind, shape, self._data[start : start + size], self.path)

    def metadata_only(self) -> bytes:
        """Return a valid GGUF file with all metadata and no tensors: the tokenizer without the weights."""
        head = bytes(self._data[: self._end_of_metadata])
        return head[:8] + struct.pack("<Q", 0) + head[16:]
