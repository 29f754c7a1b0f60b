"""Nodes and tensors in, an ONNX file with its weights beside it out.

Weights go to ``<name>.data`` as they come and are never held together, so the memory needed is
that of the largest tensor. Both files are written under temporary names and renamed at the end, data
first; to replace a model that is there, write into the staging folder of `runtime.install`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from runtime.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self

try:
    import onnx  # type: ignore[import-not-found,unused-ignore]
    from onnx import TensorProto, helper  # type: ignore[import-not-found,unused-ignore]
except ImportError as error:  # pragma: no cover - exercised by hand
    raise MissingDependencyError("building a graph needs onnx: pip install 'tokenizers-lite[runtime]'") from error

Array = NDArray[Any]
OPSET, IR_VERSION = 18, 9  # what onnxruntime 1.18 reads
CONTRIB = "com.microsoft"
_INLINE = 1024  # bytes; smaller tensors stay in the graph file
_PAGE = 4096

FLOAT, FLOAT16, INT8, UINT8, INT32, INT64, BOOL = (
    TensorProto.FLOAT,
    TensorProto.FLOAT16,
    TensorProto.INT8,
    TensorProto.UINT8,
    TensorProto.INT32,
    TensorProto.INT64,
    TensorProto.BOOL,
)


class GraphWriter:
    """Collects a graph and streams its weights to disk.

    Use as a context manager: leaving it with an error removes the temporary files.

    Args:
        path: the ``.onnx`` file to write; weights go to the same name + ``.data``.
        opset: version of the standard operators.
    """

    def __init__(self, path: str | os.PathLike[str], opset: int = OPSET) -> None:
        self.path = os.fspath(path)
        self.opset = opset
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self._names: dict[str, int] = {}
        self._shared: dict[tuple[Any, ...], str] = {}
        self._location = os.path.basename(self.path) + ".data"
        self._data = open(self._temporary(".data"), "wb")  # noqa: SIM115 - closed in finish or __exit__

    def _temporary(self, suffix: str = "") -> str:
        return f"{self.path}{suffix}.{os.getpid()}.part"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._data.close()
        for leftover in (self._temporary(), self._temporary(".data")):
            if os.path.exists(leftover):
                os.remove(leftover)

    def fresh(self, stem: str) -> str:
        """Return an unused name that starts with ``stem``."""
        count = self._names.get(stem, 0)
        while count and f"{stem}_{count}" in self._names:
            count += 1
        self._names[stem] = count + 1
        return f"{stem}_{count}" if count else stem

    def input(self, name: str, kind: int, shape: Sequence[int | str]) -> str:
        """Declare an input of the graph."""
        self.inputs.append(helper.make_tensor_value_info(name, kind, list(shape)))
        return name

    def output(self, name: str, kind: int, shape: Sequence[int | str]) -> str:
        """Declare an output of the graph; a node must produce it."""
        self.outputs.append(helper.make_tensor_value_info(name, kind, list(shape)))
        return name

    def op(self, kind: str, *inputs: str, out: str | Sequence[str] = "", domain: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its first output."""
        names = [out] if isinstance(out, str) else list(out)
        names[0] = names[0] or self.fresh(kind)
        node = helper.make_node(kind, list(inputs), names, name=self.fresh("node_" + kind), domain=domain, **attributes)
        self.nodes.append(node)
        return names[0]

    def contrib(self, kind: str, *inputs: str, out: str | Sequence[str] = "", **attributes: Any) -> str:
        """Add a node of onnxruntime's own operators."""
        return self.op(kind, *inputs, out=out, domain=CONTRIB, **attributes)

    def constant(self, values: Array | Sequence[int], stem: str = "constant") -> str:
        """Add a tensor; small equal ones are shared."""
        array = np.ascontiguousarray(values if isinstance(values, np.ndarray) else np.array(values, dtype=np.int64))
        array = array.reshape(np.shape(values))  # ascontiguousarray turns 0-d into 1-d
        if array.nbytes > _INLINE:
            return self.stream(stem, array.dtype, array.shape, [array])
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._shared:
            name = self._shared[key] = self.fresh(stem)
            self.initializers.append(onnx.numpy_helper.from_array(array, name))
        return self._shared[key]

    def reserve(self, names: Iterable[str]) -> None:
        """Never hand out these names."""
        for name in names:
            self._names.setdefault(name, 1)

    def keep(self, name: str, values: Array) -> None:
        """Add a tensor under exactly this name, which has been reserved."""
        if values.nbytes <= _INLINE:
            self.initializers.append(
                onnx.numpy_helper.from_array(np.ascontiguousarray(values).reshape(values.shape), name)
            )
            return
        self.stream(name, values.dtype, values.shape, [values])
        self.initializers[-1].name = name

    def stream(self, stem: str, dtype: np.dtype[Any], shape: Sequence[int], chunks: Iterable[Array]) -> str:
        """Add a large tensor piece by piece; the pieces follow each other in memory order."""
        name = self.fresh(stem)
        expected = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        start = self._align(_PAGE if expected >= 1 << 16 else 64)
        for chunk in chunks:
            np.ascontiguousarray(chunk, dtype=dtype).tofile(self._data)
        length = self._data.tell() - start
        if length != expected:
            raise AssertionError(f"{name}: wrote {length} bytes of {expected}")
        tensor = TensorProto(name=name, data_type=helper.np_dtype_to_tensor_dtype(dtype), dims=list(shape))
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", self._location), ("offset", start), ("length", length)):
            tensor.external_data.add(key=key, value=str(value))
        self.initializers.append(tensor)
        return name

    def _align(self, step: int) -> int:
        at = self._data.tell()
        self._data.write(b"\0" * (-at % step))
        return self._data.tell()

    def finish(self, name: str, metadata: Mapping[str, str]) -> str:
        """Write the graph and move both files into place.

        Returns:
            The path of the ``.onnx`` file.
        """
        graph = helper.make_graph(self.nodes, name, self.inputs, self.outputs, self.initializers)
        opsets = [helper.make_opsetid("", self.opset), helper.make_opsetid(CONTRIB, 1)]
        model = helper.make_model(graph, opset_imports=opsets, producer_name="tokenizers-lite")
        model.ir_version = IR_VERSION
        helper.set_model_props(model, dict(metadata))
        with open(self._temporary(), "wb") as stream:
            stream.write(model.SerializeToString())
        size = self._data.tell()
        self._data.close()
        data = self.path + ".data"
        if size:
            os.replace(self._temporary(".data"), data)
        elif os.path.exists(data):
            os.remove(data)
        os.replace(self._temporary(), self.path)
        return self.path
