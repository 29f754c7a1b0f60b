"""Offsets as zero points and columns: what the operator computes from them is what the codes say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.blocks import Codes
from runtime.graph.minimums import copies, fold, packed_zeros


def evaluated(folded, blocks):
    """The weights of x itself: those of the columns, spread over the blocks whose mean they multiply."""
    half = 1 << (folded.bits - 1)
    values = (folded.codes.astype(np.float64) - folded.zeros[..., None]) * folded.scale[..., None]
    own, more = values[:, :blocks], values[:, blocks:].reshape(len(values), -1)
    assert (folded.zeros[:, blocks:] == half).all()
    block = folded.codes.shape[2]
    repeated = copies(blocks, block, folded.bits)
    per_mean = more[:, : repeated * blocks].reshape(len(values), repeated, blocks).sum(axis=1)
    assert (more[:, repeated * blocks :] == 0).all()
    return own + per_mean[..., None] / block


@settings(max_examples=60, deadline=None)
@given(
    blocks=st.integers(1, 70),
    block=st.sampled_from([16, 32]),
    bits=st.sampled_from([4, 8]),
    seed=st.integers(0, 1000),
    low=st.floats(-16, 1),
)
def test_folded_offsets_err_by_less_than_a_two_hundredth_of_a_step(blocks, block, bits, seed, low):
    random = np.random.default_rng(seed)
    codes = random.integers(0, 16, (3, blocks, block)).astype(np.uint8)
    scale = random.uniform(0.5, 1.0, (3, blocks)).astype(np.float32)
    offset = (scale * random.uniform(low, low + 1, (3, blocks))).astype(np.float32) + 8 * scale
    zero = 8 if bits == 4 else 128
    exact = Codes(codes + np.uint8(zero - 8), scale, offset, zero, bits)

    error = np.abs(evaluated(fold(exact), blocks).reshape(3, -1) - exact.float32()).max()

    beyond = max(0.0, -(low + 16), low + 1)  # zero points end at 0 and 15
    assert error < (0.005 + 0.01 * beyond if bits == 4 else 0.005)


def test_blocks_without_spread_keep_their_value():
    flat = Codes(np.zeros((2, 4, 32), np.uint8), np.zeros((2, 4), np.float32), np.full((2, 4), 3.0, np.float32), 8, 4)

    assert evaluated(fold(flat), 4) == pytest.approx(3.0, abs=0.02)


def test_the_digits_of_a_mean_do_not_share_a_block():
    for blocks in range(1, 300):
        for block in (16, 32):
            second = (copies(blocks, block, 4) - 1) * blocks
            assert (blocks - 1) // block < second // block


def test_zero_points_are_packed_per_row():
    zeros = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)

    assert packed_zeros(zeros, 4).tolist() == [[0x21, 0x03], [0x54, 0x06]]
    assert packed_zeros(zeros, 8) is zeros
