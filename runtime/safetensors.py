"""safetensors files -> tensors, mapped and checked. One file, or the shards of an index."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from runtime.blocks import KINDS, Bytes, Tensor, checked
from runtime.errors import ModelFileError

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
_MAX_HEADER = 100_000_000  # the limit of the reference implementation


def read_file(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read one file: name -> tensor, nothing copied.

    Raises:
        ModelFileError: header or offsets do not fit the file, or a dtype is not supported.
    """
    file = os.fspath(path)
    if os.path.getsize(file) < 10:
        raise ModelFileError("the file is too short to be safetensors", file=file, value=os.path.getsize(file))
    data: Bytes = np.memmap(file, dtype=np.uint8, mode="r")
    length = int.from_bytes(data[:8].tobytes(), "little")
    if length > min(len(data) - 8, _MAX_HEADER):
        raise ModelFileError(
            "the header is longer than the file: not safetensors, or truncated", file=file, field="header", value=length
        )
    try:
        header = json.loads(data[8 : 8 + length].tobytes())
    except ValueError as error:
        raise ModelFileError(f"the header is not JSON: {error}", file=file, field="header") from error
    if not isinstance(header, dict):
        raise ModelFileError("the header must be an object", file=file, field="header", value=header)
    body = data[8 + length :]
    return {name: _tensor(name, entry, body, file) for name, entry in header.items() if name != "__metadata__"}


def _tensor(name: str, entry: Any, body: Bytes, file: str) -> Tensor:
    try:
        dtype, shape, (start, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
        well_formed = all(isinstance(n, int) and n >= 0 for n in (*shape, start, end))
    except (TypeError, KeyError, ValueError):
        well_formed = False
    if not well_formed:
        raise ModelFileError("a tensor needs dtype, shape and data_offsets", file=file, field=name, value=entry)
    if dtype not in KINDS:
        raise ModelFileError("dtype not supported; use F32, F16 or BF16", file=file, field=name, value=dtype)
    if not start <= end <= len(body):
        raise ModelFileError(
            f"data_offsets leave the file ({len(body)} bytes of data): it is truncated, fetch it again",
            file=file,
            field=name,
            value=[start, end],
        )
    return checked(name, KINDS[dtype], shape, body[start:end], file)


def _places(index: str) -> dict[str, str]:
    """Read which shard each tensor is in."""
    try:
        with open(index, encoding="utf-8") as stream:
            values = json.load(stream)
    except ValueError as error:
        raise ModelFileError(f"not JSON: {error}", file=index) from error
    places = values.get("weight_map") if isinstance(values, dict) else None
    if not isinstance(places, dict) or not all(isinstance(shard, str) for shard in places.values()):
        raise ModelFileError(
            "weight_map must give the file of every tensor", file=index, field="weight_map", value=places
        )
    return places


def read_folder(folder: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read ``model.safetensors`` or every shard that ``model.safetensors.index.json`` lists.

    Raises:
        ModelFileError: neither exists, a shard is missing, or a tensor is not in its shard.
    """
    root = os.fspath(folder)
    index = os.path.join(root, INDEX)
    if not os.path.exists(index):
        single = os.path.join(root, SINGLE)
        if not os.path.exists(single):
            raise ModelFileError(f"neither {SINGLE} nor {INDEX} is here; is this a model folder?", file=root)
        return read_file(single)
    places = _places(index)
    shards: dict[str, dict[str, Tensor]] = {}
    for shard in sorted(set(places.values())):
        if os.path.basename(shard) != shard or not os.path.exists(os.path.join(root, shard)):
            raise ModelFileError("a shard is missing; fetch it into the same folder", file=index, value=shard)
        shards[shard] = read_file(os.path.join(root, shard))
    missing = [name for name, shard in places.items() if name not in shards[shard]]
    if missing:
        raise ModelFileError("the index names a tensor its shard does not have", file=index, value=missing[0])
    return {name: shards[shard][name] for name, shard in places.items()}
