"""A weight matrix -> the nodes that multiply by it.

GGUF blocks are repacked, never requantised. onnxruntime's MatMulNBits computes
``x @ (scale * (code - zero)).T`` with a zero of 8 or 128; formats that store a minimum per block
(Q4_1, Q4_K, ...) differ from that by a constant per block. With float activations it is added
exactly, as ``block sums of x @ constants``: three more nodes. With int8 activations, which round
anyway, `runtime.graph.minimums` puts it into the one node.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from runtime.blocks import Codes, Tensor
from runtime.errors import UnsupportedError
from runtime.graph.minimums import Folded, copies, fold, packed_zeros
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
        fast: int8 activations in the products with blocked weights.
        head: what ``weights`` says, for the embedding and output matrix; the same if empty.
    """

    weights: str = "float"
    half: bool = False
    fast: bool = True
    head: str = ""

    def __post_init__(self) -> None:
        """Refuse unknown ways to store weights."""
        for name in (self.weights, self.head or self.weights):
            if name not in WEIGHTS:
                raise UnsupportedError(f"weights must be one of {', '.join(WEIGHTS)} (got {name!r})")

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


def packed(codes: Codes | Folded) -> NDArray[np.uint8]:
    """Lay codes out as MatMulNBits wants them: [rows, blocks, bytes], even places in the low half."""
    if codes.bits == 8:
        return codes.codes
    return _pairs(codes.codes)


def _pairs(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    pairs: NDArray[np.uint8] = codes[..., 0::2] | codes[..., 1::2] << np.uint8(4)
    return pairs


class LinearWriter:
    """Emits products with weight matrices into one graph."""

    def __init__(self, graph: GraphWriter, precision: Precision) -> None:
        self.graph = graph
        self.precision = precision
        self._sums: dict[tuple[str, int], str] = {}
        self._extended: dict[tuple[str, int, int], str] = {}

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
        x_and_means = self._extend(x, stored) if stored.copies else x
        if stored.low:
            high = self._multiply(x, stored, stored.codes, stored.high_scale, "", bits=4)
            low = self._multiply(x, stored, stored.low, stored.scale, stored.zeros, bits=4)
            y = self.graph.op("Add", high, low)
        else:
            y = self._multiply(x_and_means, stored, stored.codes, stored.scale, stored.zeros, bits=stored.bits)
        if not stored.offset:
            return y
        return self.graph.op("Add", y, self.graph.op("MatMul", self._block_means(x, stored.block), stored.offset))

    def _multiply(self, x: str, stored: Stored, codes: str, scale: str, zeros: str, *, bits: int) -> str:
        return self.graph.contrib(
            "MatMulNBits",
            x,
            codes,
            scale,
            *([zeros] if zeros else []),
            K=stored.columns + stored.copies * (stored.columns // stored.block),
            N=stored.rows,
            bits=bits,
            block_size=stored.block,
            accuracy_level=4 if self.precision.fast else 1,
        )

    def _extend(self, x: str, stored: Stored) -> str:
        """Append the means of x to x; products with the same x share the result."""
        key = (x, stored.block, stored.copies)
        if key not in self._extended:
            means = self._block_means(x, stored.block)
            self._extended[key] = self.graph.op("Concat", x, *[means] * stored.copies, axis=-1)
        return self._extended[key]

    def _block_means(self, x: str, block: int) -> str:
        """Means of x over blocks; one pooling node, used again by every product with the same x."""
        key = (x, block)
        if key not in self._sums:
            self._sums[key] = self.graph.op("AveragePool", x, kernel_shape=[block], strides=[block])
        return self._sums[key]


@dataclass(frozen=True, slots=True)
class Stored:
    """Names of the tensors that hold a blocked matrix, and its shape.

    A minimum per block is either in `offset`, to be added, or in `zeros` and the columns that
    `copies` means of x are multiplied with. Where activations stay floats, 8-bit codes are cut into
    `codes`, the high halves, with `high_scale`, and `low` with `scale` and `zeros`: onnxruntime's float
    path is fast for 4 bits only.
    """

    codes: str
    scale: str
    offset: str
    rows: int
    columns: int
    block: int
    bits: int
    zeros: str = ""
    copies: int = 0
    low: str = ""
    high_scale: str = ""


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


def store(
    writer: LinearWriter, name: str, parts: Sequence[Tensor], weights: str = "", *, rows_too: bool = False
) -> Stored:
    """Write matrices one above the other as blocks.

    Args:
        writer: the graph and how it stores numbers.
        name: stem of the tensors' names.
        parts: matrices of equal width.
        weights: overrides ``precision.weights``.
        rows_too: rows will also be looked up (an embedding), so minimums stay plain offsets.
    """
    weights = weights or writer.precision.weights
    folding = writer.precision.fast and not rows_too
    lows: list[NDArray[np.uint8]] = []
    pieces: list[NDArray[np.uint8]] = []
    scales: list[Floats] = []
    offsets: list[Floats] = []
    zeros: list[NDArray[np.uint8]] = []
    block = bits = 0
    for codes in (codes for part in parts for codes in block_codes(part, weights)):
        block, bits = codes.block, codes.bits
        folded = fold(codes) if folding and codes.offset is not None else None
        if bits == 8 and not writer.precision.fast:
            pieces.append(_pairs(codes.codes >> np.uint8(4)))
            lows.append(_pairs(codes.codes & np.uint8(15)))
        else:
            pieces.append(packed(folded or codes))
        scales.append((folded or codes).scale)
        if folded is not None:
            zeros.append(packed_zeros(folded.zeros, bits))
        elif codes.offset is not None:
            offsets.append(codes.offset)
    rows, columns = sum(part.rows for part in parts), parts[0].columns
    graph, dtype = writer.graph, writer.precision.dtype
    shape = (rows, *pieces[0].shape[1:])
    stored = graph.stream(name + ".codes", np.dtype(np.uint8), shape, pieces)
    scale = graph.constant(np.concatenate(scales).astype(dtype).reshape(-1), name + ".scale")
    if zeros:
        points = graph.constant(np.concatenate(zeros).reshape(-1), name + ".zeros")
        more = copies(columns // block, block, bits)
        return Stored(stored, scale, "", rows, columns, block, bits, points, more)
    offset = ""
    if offsets:  # times the block, since the pooling node gives means, not sums
        constants = np.concatenate(offsets).T * np.float32(block)
        offset = graph.constant(constants.astype(dtype), name + ".offset")
    whole = Stored(stored, scale, offset, rows, columns, block, bits)
    if not lows:
        return whole
    low = graph.stream(name + ".low", np.dtype(np.uint8), shape, lows)
    high = np.concatenate(scales) * np.float32(16)
    none = np.zeros(rows * -(-(columns // block) // 2), dtype=np.uint8)
    return replace(
        whole,
        low=low,
        high_scale=graph.constant(high.astype(dtype).reshape(-1), name + ".high_scale"),
        zeros=graph.constant(none, name + ".zeros"),
    )
