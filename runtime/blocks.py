"""Tensors as they lie in weight files: raw bytes of a kind -> float32, or codes, scales and offsets.

Every block format of GGUF is read into one shape, `Codes`: per block of 16 or 32 weights a
scale, an optional offset, and small integers, with ``weight = scale * (code - zero) + offset``.
Both uses follow from it: `Tensor.float32` evaluates it, and `runtime.graph.linear` repacks the
integers unchanged into the operator of onnxruntime, so a quantised file is never quantised twice.

The layouts are those of ggml's ``ggml-common.h`` (structs ``block_q4_0`` and so on).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from runtime.errors import ModelFileError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Codes:
    """One matrix in blocks: ``weight = scale * (code - zero) + offset``.

    Shapes: codes [rows, blocks, block] uint8; scale and offset [rows, blocks] float32.
    """

    codes: Bytes
    scale: Floats
    offset: Floats | None
    zero: int
    bits: int

    @property
    def block(self) -> int:
        """Weights that share one scale."""
        return int(self.codes.shape[2])

    def times(self, factor: float) -> Codes:
        """Multiply by a number; the integers stay as they are."""
        offset = None if self.offset is None else self.offset * np.float32(factor)
        return replace(self, scale=self.scale * np.float32(factor), offset=offset)

    def float32(self) -> Floats:
        """Evaluate to a [rows, columns] matrix."""
        values = self.codes.astype(np.float32)
        if self.zero:
            values -= np.float32(self.zero)
        values *= self.scale[:, :, None]
        if self.offset is not None:
            values += self.offset[:, :, None]
        return values.reshape(len(values), -1)


@dataclass(frozen=True, slots=True)
class Kind:
    """A storage kind: ``size`` bytes hold ``block`` weights."""

    name: str
    block: int
    size: int
    decode: Callable[[Bytes], Codes] | None = None  # [rows, blocks, size] bytes -> Codes


def _half(raw: Bytes) -> Floats:
    """[..., 2] bytes -> [...] float32 of little-endian halves."""
    halves: NDArray[np.float16] = np.ascontiguousarray(raw).view("<f2")[..., 0]
    return halves.astype(np.float32)


def _nibbles(raw: Bytes) -> Bytes:
    """[rows, blocks, n] bytes -> [rows, blocks, 2n] codes: all low halves, then all high halves."""
    return np.concatenate([raw & 15, raw >> 4], axis=-1)


def _fifth_bit(raw: Bytes) -> Bytes:
    """[rows, blocks, 4] bytes -> [rows, blocks, 32] with bit i of the word at place i, worth 16."""
    bits: Bytes = np.unpackbits(raw, axis=-1, bitorder="little") << np.uint8(4)
    return bits


def _fields(raw: Bytes, width: int, shifts: Sequence[int], mask: int) -> Bytes:
    """Read ``width`` bytes once per shift: [..., n*width] -> [..., n*len(shifts)*width] masked fields."""
    lead = raw.shape[:-1]
    table = np.array(shifts, dtype=np.uint8).reshape(len(shifts), 1)
    fields: Bytes = (raw.reshape(*lead, -1, 1, width) >> table) & np.uint8(mask)
    return fields.reshape(*lead, -1)


def _q4_0(raw: Bytes) -> Codes:
    return Codes(_nibbles(raw[..., 2:]), _half(raw[..., :2]), None, 8, 4)


def _q4_1(raw: Bytes) -> Codes:
    return Codes(_nibbles(raw[..., 4:]), _half(raw[..., :2]), _half(raw[..., 2:4]), 0, 4)


def _q5_0(raw: Bytes) -> Codes:
    return Codes(_nibbles(raw[..., 6:]) | _fifth_bit(raw[..., 2:6]), _half(raw[..., :2]), None, 16, 8)


def _q5_1(raw: Bytes) -> Codes:
    codes = _nibbles(raw[..., 8:]) | _fifth_bit(raw[..., 4:8])
    return Codes(codes, _half(raw[..., :2]), _half(raw[..., 2:4]), 0, 8)


def _q8_0(raw: Bytes) -> Codes:
    return Codes(raw[..., 2:] ^ np.uint8(128), _half(raw[..., :2]), None, 128, 8)


_NONLINEAR = (-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)  # ggml kvalues_iq4nl


def _iq4_nl(raw: Bytes) -> Codes:
    table = (np.array(_NONLINEAR, dtype=np.int16) + 128).astype(np.uint8)
    return Codes(table[_nibbles(raw[..., 2:])], _half(raw[..., :2]), None, 128, 8)


def _super(codes: Bytes, scale: Floats, offset: Floats | None, *, zero: int, bits: int) -> Codes:
    """Flatten [rows, supers, 256] codes and [rows, supers, 256/block] scales to rows of blocks."""
    rows, block = len(codes), 256 // scale.shape[-1]
    flat = None if offset is None else offset.reshape(rows, -1)
    return Codes(codes.reshape(rows, -1, block), scale.reshape(rows, -1), flat, zero, bits)


def _q2_k(raw: Bytes) -> Codes:
    packed = raw[..., :16]
    scale = _half(raw[..., 80:82])[..., None] * (packed & 15).astype(np.float32)
    offset = -(_half(raw[..., 82:84])[..., None] * (packed >> 4).astype(np.float32))
    return _super(_fields(raw[..., 16:80], 32, (0, 2, 4, 6), 3), scale, offset, zero=0, bits=4)


def _q3_k(raw: Bytes) -> Codes:
    low = _fields(raw[..., 96:104], 8, (0, 4), 15)
    high = _fields(raw[..., 104:108], 4, (0, 2, 4, 6), 3)
    steps = (low | high << np.uint8(4)).astype(np.float32) - np.float32(32)
    bit = _fields(raw[..., :32], 32, range(8), 1)
    codes = _fields(raw[..., 32:96], 32, (0, 2, 4, 6), 3) | bit << np.uint8(2)
    return _super(codes, _half(raw[..., 108:110])[..., None] * steps, None, zero=4, bits=4)


def _six_bit(packed: Bytes) -> tuple[Bytes, Bytes]:
    """[..., 12] bytes -> eight 6-bit scales and eight 6-bit minimums (ggml get_scale_min_k4)."""
    a, b, c = packed[..., :4], packed[..., 4:8], packed[..., 8:]
    scale = np.concatenate([a & 63, (c & 15) | ((a >> 2) & 48)], axis=-1)
    return scale, np.concatenate([b & 63, (c >> 4) | ((b >> 2) & 48)], axis=-1)


def _scale_and_offset(raw: Bytes) -> tuple[Floats, Floats]:
    steps, minimums = _six_bit(raw[..., 4:16])
    scale = _half(raw[..., :2])[..., None] * steps.astype(np.float32)
    return scale, -(_half(raw[..., 2:4])[..., None] * minimums.astype(np.float32))


def _q4_k(raw: Bytes) -> Codes:
    scale, offset = _scale_and_offset(raw)
    return _super(_fields(raw[..., 16:], 32, (0, 4), 15), scale, offset, zero=0, bits=4)


def _q5_k(raw: Bytes) -> Codes:
    scale, offset = _scale_and_offset(raw)
    bit = _fields(raw[..., 16:48], 32, range(8), 1) << np.uint8(4)
    return _super(_fields(raw[..., 48:], 32, (0, 4), 15) | bit, scale, offset, zero=0, bits=8)


def _q6_k(raw: Bytes) -> Codes:
    low = _fields(raw[..., :128], 64, (0, 4), 15)
    codes = low | _fields(raw[..., 128:192], 32, (0, 2, 4, 6), 3) << np.uint8(4)
    steps = np.ascontiguousarray(raw[..., 192:208]).view(np.int8).astype(np.float32)
    return _super(codes, _half(raw[..., 208:210])[..., None] * steps, None, zero=32, bits=8)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("F32", 1, 4),
        Kind("F16", 1, 2),
        Kind("BF16", 1, 2),
        Kind("F64", 1, 8),
        Kind("Q4_0", 32, 18, _q4_0),
        Kind("Q4_1", 32, 20, _q4_1),
        Kind("Q5_0", 32, 22, _q5_0),
        Kind("Q5_1", 32, 24, _q5_1),
        Kind("Q8_0", 32, 34, _q8_0),
        Kind("IQ4_NL", 32, 18, _iq4_nl),
        Kind("Q2_K", 256, 84, _q2_k),
        Kind("Q3_K", 256, 110, _q3_k),
        Kind("Q4_K", 256, 144, _q4_k),
        Kind("Q5_K", 256, 176, _q5_k),
        Kind("Q6_K", 256, 210, _q6_k),
    )
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor in its file: nothing is copied or converted until asked for.

    Args:
        name: the tensor's name in its file, for messages.
        kind: one of `KINDS`.
        shape: numpy order, the contiguous axis last.
        raw: the bytes; [rows, bytes of a row], usually a view of a mapped file.
        file: where it came from, for messages.
        factor: what every value is multiplied with on the way out; codes of blocks stay as they are.
    """

    name: str
    kind: Kind
    shape: tuple[int, ...]
    raw: Bytes
    file: str = ""
    factor: float = 1.0

    @classmethod
    def of(cls, name: str, values: NDArray[np.generic]) -> Tensor:
        """Wrap an array as an F32 tensor."""
        array = np.ascontiguousarray(values, dtype=np.float32)
        width = array.shape[-1] * 4
        return cls(name, KINDS["F32"], array.shape, array.view(np.uint8).reshape(-1, width))

    @property
    def rows(self) -> int:
        """Number of rows: the product of all axes but the last."""
        return len(self.raw)

    @property
    def columns(self) -> int:
        """Length of the last axis."""
        return self.shape[-1]

    @property
    def is_quantized(self) -> bool:
        """Whether the weights are codes in blocks."""
        return self.kind.decode is not None

    def float32(self) -> Floats:
        """Return all values, in the tensor's shape."""
        return np.concatenate(list(self.float32_chunks())).reshape(self.shape)

    def float32_chunks(self, rows: int = 16384) -> Iterator[Floats]:
        """Yield [some rows, columns] float32 pieces, so that a large tensor need not be held twice."""
        for start in range(0, self.rows, rows):
            values = _values(self.kind, self.raw[start : start + rows], self.columns)
            yield values if self.factor == 1 else values * np.float32(self.factor)

    def codes(self) -> Codes:
        """Return the codes of a quantised matrix.

        Raises:
            UnsupportedError: the tensor holds plain floats.
        """
        if self.kind.decode is None:
            raise UnsupportedError(f"{self.name}: {self.kind.name} is not a block format; quantise it first")
        codes = self.kind.decode(self.raw.reshape(self.rows, -1, self.kind.size))
        return codes if self.factor == 1 else codes.times(self.factor)

    def times(self, factor: float) -> Tensor:
        """Return the tensor multiplied by a number."""
        return replace(self, factor=self.factor * factor)

    def take(self, rows: slice | NDArray[np.intp]) -> Tensor:
        """Return a matrix of the rows asked for, in that order; blocks lie within rows, so nothing is requantised."""
        raw = self.raw[rows]
        return replace(self, raw=raw, shape=(len(raw), self.columns))


def _values(kind: Kind, raw: Bytes, columns: int) -> Floats:
    """Convert [rows, bytes] of any kind to [rows, columns] float32."""
    if kind.decode is not None:
        return kind.decode(raw.reshape(len(raw), -1, kind.size)).float32()
    if kind.name == "BF16":
        wide = np.ascontiguousarray(raw).view("<u2").astype(np.uint32) << np.uint32(16)
        values: Floats = wide.view(np.float32)
        return values
    plain = {"F32": "<f4", "F16": "<f2", "F64": "<f8"}[kind.name]
    return np.ascontiguousarray(raw).view(plain).astype(np.float32).reshape(len(raw), columns)


def checked(name: str, kind: Kind, shape: tuple[int, ...], data: Bytes, file: str) -> Tensor:
    """Make a tensor of the bytes of a file after checking that they fit kind and shape.

    Raises:
        ModelFileError: a row does not divide into blocks, or the byte count is wrong.
    """
    shape = shape or (1,)
    if shape[-1] % kind.block:
        raise ModelFileError(
            f"{kind.name} needs rows that are a multiple of {kind.block}", file=file, field=name, value=shape
        )
    width = shape[-1] // kind.block * kind.size
    rows = 1
    for axis in shape[:-1]:
        rows *= axis
    if data.size != rows * width:
        raise ModelFileError(
            f"the tensor needs {rows * width} bytes; the file is truncated or damaged, fetch it again",
            file=file,
            field=name,
            value=int(data.size),
        )
    return Tensor(name, kind, shape, data.reshape(rows, width), file)
