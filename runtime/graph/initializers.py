"""Tensors of an ONNX file as arrays, external ones mapped rather than read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx  # type: ignore[import-not-found,unused-ignore]

from runtime.errors import ModelFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def read_graph(path: str) -> Any:
    """Read a graph without its weights.

    Raises:
        ModelFileError: it is not an ONNX file.
    """
    try:
        return onnx.load(path, load_external_data=False)
    except OSError:
        raise
    except Exception as error:  # protobuf's own
        raise ModelFileError("not an ONNX file, or cut short; fetch or export it again", file=path) from error


def map_initializers(path: str) -> dict[str, NDArray[Any]]:
    """Return every initializer of a graph by name.

    Raises:
        ModelFileError: external data lies outside the folder or past the end of its file.
    """
    model = read_graph(path)
    return {tensor.name: tensor_array(tensor, path) for tensor in model.graph.initializer}


def tensor_array(tensor: Any, path: str) -> NDArray[Any]:
    """Return one initializer."""
    if tensor.data_location != onnx.TensorProto.EXTERNAL:
        inline: NDArray[Any] = onnx.numpy_helper.to_array(tensor)
        return inline
    place = {entry.key: entry.value for entry in tensor.external_data}
    location = place.get("location", "")
    file = os.path.join(os.path.dirname(path), location)
    if os.path.basename(location) != location or not os.path.exists(file):
        raise ModelFileError(
            "the weights file is missing beside the graph", file=path, field=tensor.name, value=location
        )
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    shape = tuple(tensor.dims)
    offset, size = int(place.get("offset", 0)), int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if offset + size > os.path.getsize(file):
        raise ModelFileError(
            "the weights file is truncated; export again", file=file, field=tensor.name, value=offset + size
        )
    if size == 0:
        return np.zeros(shape, dtype)
    return np.memmap(file, dtype=dtype, mode="r", offset=offset, shape=shape)


def graph_files(path: str) -> list[str]:
    """Return the files of one graph: itself and those that hold its tensors."""
    model = read_graph(path)
    places = {e.value for tensor in model.graph.initializer for e in tensor.external_data if e.key == "location"}
    return [path, *(os.path.join(os.path.dirname(path), place) for place in sorted(places))]


def graph_size(path: str) -> int:
    """Return the bytes of a graph and its weights."""
    return sum(os.path.getsize(file) for file in graph_files(path) if os.path.exists(file))
