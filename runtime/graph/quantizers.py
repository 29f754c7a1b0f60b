"""Float matrix -> 8-bit or 4-bit codes in blocks of 32."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runtime.blocks import Codes

Floats = NDArray[np.float32]
BLOCK = 32


def quantize_int8(matrix: Floats, block: int = BLOCK) -> Codes:
    """Round to nearest, symmetric: the largest magnitude of a block becomes 127."""
    blocks = matrix.reshape(len(matrix), -1, block)
    scale = np.abs(blocks).max(axis=-1) / np.float32(127)
    codes = np.rint(blocks * _inverse(scale)[..., None]).astype(np.int16) + 128
    return Codes(codes.astype(np.uint8), scale, None, 128, 8)


def quantize_int4(matrix: Floats, block: int = BLOCK, steps: int = 12) -> Codes:
    """Sixteen levels per block with scale and offset that minimise the squared error.

    Starts from the range of the block, tries `steps` narrower ranges, and after each assignment of
    codes solves for the best scale and offset (least squares). Offsets cost 1 bit per weight and
    are worth it: see docs/runtime/quantization.md.
    """
    blocks = matrix.reshape(len(matrix), -1, block)
    low, high = blocks.min(axis=-1), blocks.max(axis=-1)
    best_error = np.full(low.shape, np.inf, dtype=np.float32)
    best_codes = np.zeros(blocks.shape, dtype=np.uint8)
    best_scale, best_offset = np.zeros_like(low), low.copy()
    for step in range(steps):
        scale = (high - low) * np.float32((1 - 0.03 * step) / 15)
        middle = (high + low) / 2 - scale * np.float32(7.5)
        codes = np.clip(np.rint((blocks - middle[..., None]) * _inverse(scale)[..., None]), 0, 15).astype(np.float32)
        scale, offset = _least_squares(blocks, codes)
        error = np.square(codes * scale[..., None] + offset[..., None] - blocks).sum(axis=-1)
        better = error < best_error
        best_error = np.where(better, error, best_error)
        best_codes[better] = codes[better].astype(np.uint8)
        best_scale, best_offset = np.where(better, scale, best_scale), np.where(better, offset, best_offset)
    return Codes(best_codes, best_scale, best_offset, 0, 4)


def _inverse(scale: Floats) -> Floats:
    """1/scale, and 0 for blocks without any spread."""
    inverse: Floats = np.divide(np.float32(1), scale, out=np.zeros_like(scale), where=scale != 0)
    return inverse


def _least_squares(values: Floats, codes: Floats) -> tuple[Floats, Floats]:
    """Per block, the scale and offset that bring ``scale * codes + offset`` closest to ``values``."""
    mean_code, mean_value = codes.mean(axis=-1), values.mean(axis=-1)
    spread = np.square(codes - mean_code[..., None]).sum(axis=-1)
    shared = ((codes - mean_code[..., None]) * (values - mean_value[..., None])).sum(axis=-1)
    scale = np.divide(shared, spread, out=np.zeros_like(shared), where=spread != 0)
    return scale, mean_value - scale * mean_code
