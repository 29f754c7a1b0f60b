"""A float32 ONNX graph -> the same graph with smaller weights.

For GGUF and safetensors use `runtime.export` with a precision: it sees the weights before they
are float32, and shares one blob between embedding and head. This module is for graphs that others
exported.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx  # type: ignore[import-not-found,unused-ignore]

from runtime.blocks import Tensor
from runtime.errors import ModelFileError, UnsupportedError
from runtime.export import BLOCKED, PREFIX
from runtime.graph.initializers import graph_size, read_graph, tensor_array
from runtime.graph.linear import LinearWriter, Precision, Stored, store
from runtime.graph.writer import GraphWriter
from runtime.install import BESIDE, GRAPH, settle, staged
from runtime.session import open_session, version

if TYPE_CHECKING:
    from numpy.typing import NDArray

METHODS = ("int8", "int4", "dynamic", "half")
_ACTIVATIONS = {
    "int8": "float32 with int8 products",
    "int4": "float32 with int8 products",
    "half": "float16",
    "dynamic": "float32 with int8 products",
}
_CARRIED = (".json", ".jinja", ".model", ".txt", ".tokc", ".gguf")


@dataclass(frozen=True, slots=True)
class Quantized:
    """What was written, and how large source and result are."""

    graph: str
    before: int
    bytes: int


def quantize(source: str | os.PathLike[str], folder: str | os.PathLike[str], method: str = "int8") -> Quantized:
    """Make a graph smaller and put it, with the files beside it, into a folder.

    Args:
        source: an ``.onnx`` file, or a folder with ``model.onnx``.
        folder: where to write ``model.onnx``; must not be the source's own.
        method: ``int8`` or ``int4`` (blocks of 32, see docs/runtime/quantization.md), ``half`` (16-bit
            floats, inputs and outputs keep their types), or ``dynamic`` (onnxruntime's quantize_dynamic,
            per channel: the widespread recipe; small models lose much by it).

    Raises:
        ModelFileError: the source is not there or would be overwritten, or the folder cannot be written.
        UnsupportedError: an unknown method, a graph that is quantised already, or one the method cannot turn.
    """
    if method not in METHODS:
        raise UnsupportedError(f"method must be one of {', '.join(METHODS)} (got {method!r})")
    graph = os.fspath(source)
    if os.path.isdir(graph):
        graph = os.path.join(graph, GRAPH)
    if not os.path.exists(graph):
        raise ModelFileError("no such graph", file=graph)
    source_folder, target = os.path.dirname(graph) or ".", os.path.join(os.fspath(folder), GRAPH)
    if os.path.realpath(target) == os.path.realpath(graph):
        raise ModelFileError("source and result are the same file; choose another folder", file=graph)
    settle(source_folder)
    before = graph_size(graph)
    with staged(os.fspath(folder)) as staging:
        made = os.path.join(staging, GRAPH)
        {"dynamic": _dynamic, "half": _half}.get(method, _blockwise)(graph, made, method)
        _describe(made, method)
        _check_loads(made, method)
        if os.path.realpath(source_folder) != os.path.realpath(os.fspath(folder)):
            _carry_files(source_folder, staging)
    return Quantized(target, before, graph_size(target))


def _describe(graph: str, method: str) -> None:
    """Correct what the graph says of itself, where `runtime.export` made it say anything."""
    model = read_graph(graph)
    properties = {entry.key: entry.value for entry in model.metadata_props if entry.key != BESIDE}
    if PREFIX + "weights" not in properties:
        return
    changes = {"weights": method, "activations": _ACTIVATIONS[method]}
    if method in ("int8", "int4") and version(properties.get(PREFIX + "requires", "1.18")) < version(BLOCKED):
        changes["requires"] = BLOCKED
    properties.update({PREFIX + key: value for key, value in changes.items()})
    onnx.helper.set_model_props(model, properties)
    with open(graph, "wb") as stream:
        stream.write(model.SerializeToString())


def _check_loads(graph: str, method: str) -> None:
    """Load what was written before it replaces anything.

    Raises:
        UnsupportedError: onnxruntime does not take it.
    """
    try:
        open_session(graph)
    except ModelFileError as error:
        raise UnsupportedError(f"this graph cannot be turned into {method}, nothing was written: {error}") from error


def _carry_files(source: str, target: str) -> None:
    """Copy tokenizer and configuration, so that the result is complete."""
    for name in os.listdir(source):
        if name.endswith(_CARRIED) and os.path.isfile(os.path.join(source, name)):
            shutil.copyfile(os.path.join(source, name), os.path.join(target, name))


def _dynamic(graph: str, target: str, _: str) -> None:
    """Quantize as most write-ups do: per channel, signed, constant matrices only."""
    from onnxruntime.quantization import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
        QuantType,
        quantize_dynamic,
    )

    options = {"MatMulConstBOnly": True, "DefaultTensorType": onnx.TensorProto.FLOAT}
    quantize_dynamic(
        graph,
        target,
        per_channel=True,
        weight_type=QuantType.QInt8,
        use_external_data_format=graph_size(graph) > 1 << 30,
        extra_options=options,
    )


def _half(graph: str, target: str, _: str) -> None:
    """Turn weights and activations to 16 bits, casting at the edges."""
    from onnxruntime.transformers.float16 import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
        convert_float_to_float16,
    )

    model = onnx.load(graph)
    model = convert_float_to_float16(model, keep_io_types=True, disable_shape_infer=True)
    onnx.save(model, target, save_as_external_data=True, location=GRAPH + ".data", size_threshold=1024)


def _blockwise(graph: str, target: str, method: str) -> None:
    """Rewrite every product with a constant matrix; everything else is copied."""
    model = read_graph(graph)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    products = [node for node in model.graph.node if _constant_matrix(node, tensors) is not None]
    if not products:
        raise UnsupportedError(
            f"{graph} multiplies by no float32 matrix: it is quantised already; quantise the float graph"
        )
    replaced = {node.input[1] for node in products}
    still_used = {name for node in model.graph.node if node not in products for name in node.input}
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    with GraphWriter(target, opset=opset) as writer:
        writer.inputs.extend(model.graph.input)
        writer.outputs.extend(model.graph.output)
        writer.reserve(name for node in model.graph.node for name in (*node.output, node.name))
        writer.reserve(tensors)
        for name, tensor in tensors.items():
            if name not in replaced or name in still_used:
                _copy(writer, tensor, graph)
        linear = LinearWriter(writer, Precision(weights=method))
        for node in model.graph.node:
            weight = _constant_matrix(node, tensors)
            if weight is None:
                writer.nodes.append(node)
                continue
            matrix = tensor_array(tensors[weight], graph)
            rows = matrix if node.op_type == "Gemm" else matrix.T
            stored = store(linear, weight + "." + method, [Tensor.of(weight, np.ascontiguousarray(rows))])
            _multiply(linear, node, stored)
        properties = {entry.key: entry.value for entry in model.metadata_props}
        writer.finish(model.graph.name or "decoder", properties)


def _multiply(linear: LinearWriter, node: Any, stored: Stored) -> None:
    """Write the product that takes the place of a node; the input of a Gemm gets the axis that pooling needs."""
    writer, flat = linear.graph, node.op_type == "Gemm"
    x = node.input[0]
    if flat:
        x = writer.op("Reshape", x, writer.constant([1, -1, stored.columns]))
    y = linear.blocked(x, stored)
    if flat:
        writer.op("Reshape", y, writer.constant([-1, stored.rows]))
    writer.nodes[-1].output[0] = node.output[0]


def _constant_matrix(node: Any, tensors: dict[str, Any]) -> str | None:
    """Name of the float32 matrix a node multiplies by, if it can live in blocks of 32."""
    if node.op_type not in ("MatMul", "Gemm") or node.domain not in ("", "ai.onnx"):
        return None
    tensor = tensors.get(node.input[1])
    if tensor is None or len(tensor.dims) != 2 or tensor.data_type != onnx.TensorProto.FLOAT:
        return None
    if node.op_type == "Gemm":
        attributes = {entry.name: onnx.helper.get_attribute_value(entry) for entry in node.attribute}
        plain = attributes.pop("transB", 0) == 1 and all(value in (0, 1.0) for value in attributes.values())
        return node.input[1] if plain and len(node.input) == 2 and tensor.dims[1] % 32 == 0 else None
    return node.input[1] if tensor.dims[0] % 32 == 0 else None


def _copy(writer: GraphWriter, tensor: Any, graph: str) -> None:
    """Copy an initializer under its own name."""
    values: NDArray[Any] = tensor_array(tensor, graph)
    writer.keep(tensor.name, values)
