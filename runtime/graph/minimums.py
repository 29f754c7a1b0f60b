"""Minimums of blocks -> zero points and a few more columns, so that one node does the whole product.

Formats that store a minimum (Q4_1, Q4_K, Q5_K, ...) have ``weight = scale * (code - zero) + offset``.
MatMulNBits takes whole zero points for free. What they leave of the offset is at most half a step of
the codes; it multiplies the sum of x over the block. So the means of x over its blocks are appended to
x, and the remainders become weights of these columns: one digit of 8 bits, or two digits of 4 bits of
which the second counts 1/15 of the first. The error left is below 1/250 of a step, a hundredth of
what rounding to the step has cost already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from runtime.blocks import Codes

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Folded:
    """Rows of a matrix whose offsets have become zero points and columns.

    Shapes: codes [rows, blocks + more, block], scale and zeros [rows, blocks + more].
    """

    codes: Bytes
    scale: Floats
    zeros: Bytes
    bits: int


def copies(blocks: int, block: int, bits: int) -> int:
    """How often the means of x are appended: digits must not share a block, as that has one scale."""
    if bits == 8:
        return 1
    full = -(-blocks // block) * block
    return -(-full // blocks) + 1


def fold(codes: Codes) -> Folded:
    """Turn the offsets of a matrix into zero points and appended columns."""
    if codes.offset is None:
        raise AssertionError("the matrix has no offsets")
    highest = (1 << codes.bits) - 1
    steps = np.divide(codes.offset, codes.scale, out=np.zeros_like(codes.offset), where=codes.scale != 0)
    zeros = np.clip(np.rint(codes.zero - steps), 0, highest)
    remainder = codes.offset + codes.scale * (zeros - codes.zero).astype(np.float32)
    more, scale = _digits(remainder * np.float32(codes.block), codes.block, codes.bits)
    middle = np.full(scale.shape, 1 << (codes.bits - 1), dtype=np.uint8)
    return Folded(
        np.concatenate([codes.codes, more], axis=1),
        np.concatenate([codes.scale, scale], axis=1),
        np.concatenate([zeros.astype(np.uint8), middle], axis=1),
        codes.bits,
    )


def _digits(values: Floats, block: int, bits: int) -> tuple[Bytes, Floats]:
    """Write [rows, n] values as codes of the columns ``copies`` times n; codes [rows, blocks, block], scale."""
    rows, count = values.shape
    repeated, half = copies(count, block, bits), 1 << (bits - 1)
    blocks = -(-repeated * count // block)
    codes = np.full((rows, blocks, block), half, dtype=np.uint8)
    scale = np.zeros((rows, blocks), dtype=np.float32)
    left = values
    for start in sorted({0, (repeated - 1) * count}):  # the columns of each digit; those between count nothing
        columns = np.zeros((rows, blocks * block), dtype=np.float32)
        columns[:, start : start + count] = left
        grouped = columns.reshape(rows, blocks, block)
        step = np.abs(grouped).max(axis=-1) / np.float32(half - 0.5)
        inverse = np.divide(np.float32(1), step, out=np.zeros_like(step), where=step != 0)
        digit = np.clip(np.rint(grouped * inverse[..., None]), -half, half - 1)
        codes += digit.astype(np.int8).view(np.uint8)  # modulo 256: the sum is between 0 and 2 * half
        scale += step
        left = left - (digit * step[..., None]).reshape(rows, -1)[:, start : start + count]
    return codes, scale


def packed_zeros(zeros: Bytes, bits: int) -> Bytes:
    """Lay zero points out as MatMulNBits wants them: bytes, or pairs of halves padded at the end of a row."""
    if bits == 8:
        return zeros
    even = np.pad(zeros, ((0, 0), (0, zeros.shape[1] % 2)))
    pairs: Bytes = even[:, 0::2] | even[:, 1::2] << np.uint8(4)
    return pairs
