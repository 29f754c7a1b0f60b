"""A weight matrix -> the nodes that multiply by it.

GGUF blocks are repacked, never requantised. onnxruntime's MatMulNBits computes
``x @ (scale * (code - zero)).T`` with a zero of 8 or 128; formats that store a minimum per block
(Q4_1, Q4_K, ...) differ from that by a constant per block, which is added exactly as
``block sums of x @ constants``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from runtime.blocks import Codes, Tensor
from runtime.graph.quantizers import quantize_int4, quantize_int8

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runtime.graph.writer import GraphWriter

Floats = NDArray[np.float32]
WEIGHTS = ("float", "exact", "int8", "int4")
_ROWS = 1024  # rows converted at a time; more leave the cache


@dataclass(frozen=True, slots=True)
class Precision:
    """How numbers are stored and multiplied.

    Args:
        weights: ``float`` (dequantised), ``exact`` (blocks of the file as they are, floats stay floats),
            ``int8`` or ``int4`` (blocks of 32 made here).
        half: 16-bit activations, cache and float weights.
        fast: int8 activations in the products with 4-bit weights (8-bit weights always use them).
        head: what ``weights`` says, for the embedding and output matrix; the same if empty.
    """

    weights: str = "float"
    half: bool = False
    fast: bool = True
    head: str = ""

    @property
    def dtype(self) -> np.dtype[np.float16 | np.float32]:
        """Type of the activations."""
        return np.dtype(np.float16 if self.half else np.float32)


def shifted(codes: Codes) -> Codes:
    """Move the zero to the operator's default, 8 or 128, without changing a weight."""
    zero = 8 if codes.bits == 4 else 128
    shift = zero - codes.zero
    if shift == 0:
        return codes
    if codes.offset is None:
        return Codes(codes.codes + np.uint8(shift), codes.scale, None, zero, codes.bits)
    # With a minimum the codes are centred, s*q + m = s*(q - c) + (m + c*s): rounded activations then
    # err by the spread of the weights, not by their distance from the minimum.
    centre = 8 if codes.bits == 4 else 16  # 8-bit formats with a minimum have codes of 5 bits
    offset = codes.offset + np.float32(centre) * codes.scale
    return Codes(codes.codes + np.uint8(zero - centre), codes.scale, offset, zero, codes.bits)


def packed(codes: Codes) -> NDArray[np.uint8]:
    """Lay codes out as MatMulNBits wants them: [rows, blocks, bytes], even places in the low half."""
    if codes.bits == 8:
        return codes.codes
    pairs: NDArray[np.uint8] = codes.codes[..., 0::2] | codes.codes[..., 1::2] << np.uint8(4)
    return pairs


class LinearWriter:
    """Emits products with weight matrices into one graph."""

    def __init__(self, graph: GraphWriter, precision: Precision) -> None:
        self.graph = graph
        self.precision = precision
        self._sums: dict[tuple[str, int], str] = {}

    def product(self, x: str, name: str, parts: Sequence[Tensor], bias: Floats | None = None) -> str:
        """Return ``x @ concatenated(parts).T + bias``; x is [batch, tokens, columns]."""
        groups = _alike(parts, self.precision.weights)
        outs = [self._one(x, name if len(groups) == 1 else f"{name}.{i}", group) for i, group in enumerate(groups)]
        y = outs[0] if len(outs) == 1 else self.graph.op("Concat", *outs, axis=-1)
        return y if bias is None else self.graph.op("Add", y, self.float_constant(bias, name + ".bias"))

    def float_constant(self, values: Floats, name: str) -> str:
        """Add float values in the type of the activations."""
        return self.graph.constant(np.asarray(values, dtype=np.float32).astype(self.precision.dtype), name)

    def _one(self, x: str, name: str, parts: Sequence[Tensor]) -> str:
        if _is_blocked(parts[0], self.precision.weights):
            return self.blocked(x, store(self, name, parts))
        dtype = self.precision.dtype
        whole = np.concatenate([part.float32().astype(dtype) for part in parts])
        pieces = (whole[:, start : start + 256].T for start in range(0, whole.shape[1], 256))
        weight = self.graph.stream(name, dtype, whole.shape[::-1], pieces)
        return self.graph.op("MatMul", x, weight)

    def blocked(self, x: str, stored: Stored) -> str:
        """Multiply by a matrix stored in blocks."""
        level = 4 if self.precision.fast or stored.bits == 8 else 1
        y = self.graph.contrib(
            "MatMulNBits",
            x,
            stored.codes,
            stored.scale,
            K=stored.columns,
            N=stored.rows,
            bits=stored.bits,
            block_size=stored.block,
            accuracy_level=level,
        )
        if not stored.offset:
            return y
        return self.graph.op("Add", y, self.graph.op("MatMul", self._block_means(x, stored.block), stored.offset))

    def _block_means(self, x: str, block: int) -> str:
        """Means of x over blocks; one pooling node, used again by every product with the same x."""
        key = (x, block)
        if key not in self._sums:
            self._sums[key] = self.graph.op("AveragePool", x, kernel_shape=[block], strides=[block])
        return self._sums[key]


@dataclass(frozen=True, slots=True)
class Stored:
    """Names of the tensors that hold a blocked matrix, and its shape."""

    codes: str
    scale: str
    offset: str
    rows: int
    columns: int
    block: int
    bits: int


def _is_blocked(tensor: Tensor, weights: str) -> bool:
    if weights == "exact":
        return tensor.is_quantized
    return weights in ("int8", "int4") and tensor.columns % 32 == 0


def _alike(parts: Sequence[Tensor], weights: str) -> list[list[Tensor]]:
    """Group neighbours that can live in one matrix: same kind if their blocks are kept."""
    groups: list[list[Tensor]] = []
    for part in parts:
        same = groups and (weights != "exact" or groups[-1][0].kind is part.kind)
        if same:
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups


def block_codes(tensor: Tensor, weights: str) -> Iterator[Codes]:
    """Yield the codes of a matrix, some rows at a time, zero at the operator's default."""
    for start in range(0, tensor.rows, _ROWS):
        rows = tensor.take(slice(start, start + _ROWS))
        if weights == "exact":
            yield shifted(rows.codes())
        else:
            yield shifted((quantize_int8 if weights == "int8" else quantize_int4)(rows.float32()))


def store(writer: LinearWriter, name: str, parts: Sequence[Tensor], weights: str = "") -> Stored:
    """Write matrices one above the other as blocks."""
    weights = weights or writer.precision.weights
    pieces: list[NDArray[np.uint8]] = []
    scales: list[Floats] = []
    offsets: list[Floats] = []
    block = bits = 0
    for part in parts:
        for codes in block_codes(part, weights):
            block, bits = codes.block, codes.bits
            pieces.append(packed(codes))
            scales.append(codes.scale)
            if codes.offset is not None:
                offsets.append(codes.offset)
    rows, blocks = sum(part.rows for part in parts), parts[0].columns // block
    graph, dtype = writer.graph, writer.precision.dtype
    shape = (rows, blocks, block * bits // 8)
    stored = graph.stream(name + ".codes", np.dtype(np.uint8), shape, pieces)
    scale = graph.constant(np.concatenate(scales).astype(dtype).reshape(-1), name + ".scale")
    offset = ""
    if offsets:  # times the block, since the pooling node gives means, not sums
        constants = np.concatenate(offsets).T * np.float32(block)
        offset = graph.constant(constants.astype(dtype), name + ".offset")
    return Stored(stored, scale, offset, rows, parts[0].columns, block, bits)
