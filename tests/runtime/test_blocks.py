"""Block formats of GGUF against the `gguf` package, and the invariants of `Tensor`."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.blocks import KINDS, Tensor, checked
from runtime.errors import ModelFileError, UnsupportedError

gguf = pytest.importorskip("gguf")
QUANTIZED = [kind for kind in KINDS.values() if kind.decode is not None]


def raw_blocks(kind, rows, columns, seed=0, spread=0.02):
    """Random bytes with the half-precision scales kept finite."""
    random = np.random.default_rng(seed)
    raw = random.integers(0, 256, (rows, columns // kind.block, kind.size), dtype=np.uint8)
    halves = {"Q4_1": (0, 2), "Q5_1": (0, 2), "Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2)}
    for at in halves.get(kind.name, (208,) if kind.name == "Q6_K" else (0,)):
        scales = random.normal(0, spread, raw.shape[:2]).astype("<f2")
        raw[..., at : at + 2] = scales[..., None].view(np.uint8)
    return raw.reshape(rows, -1)


@pytest.mark.parametrize("kind", QUANTIZED, ids=lambda kind: kind.name)
def test_every_block_format_has_the_values_of_ggml(kind):
    raw = raw_blocks(kind, 6, 512)

    ours = checked("w", kind, (6, 512), raw.reshape(-1), "file").float32()

    theirs = gguf.quants.dequantize(raw, gguf.GGMLQuantizationType[kind.name])
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"])
def test_files_quantized_by_gguf_read_back(kind):
    values = np.random.default_rng(1).normal(0, 1, (4, 256)).astype(np.float32)
    raw = gguf.quants.quantize(values, gguf.GGMLQuantizationType[kind])

    ours = checked("w", KINDS[kind], values.shape, raw.reshape(-1), "file").float32()

    assert np.abs(ours - values).max() < 0.4


@pytest.mark.parametrize(("kind", "dtype"), [("F32", "<f4"), ("F16", "<f2"), ("F64", "<f8")])
def test_plain_floats(kind, dtype):
    values = np.linspace(-3, 3, 24).reshape(2, 3, 4).astype(dtype)

    tensor = checked("w", KINDS[kind], values.shape, np.frombuffer(values.tobytes(), np.uint8), "file")

    assert np.array_equal(tensor.float32(), values.astype(np.float32))


def test_bf16_is_the_upper_half_of_a_float():
    values = np.array([[1.0, -2.5, 3.140625, 0.0]], dtype=np.float32)
    upper = (values.view(np.uint32) >> 16).astype("<u2")

    tensor = checked("w", KINDS["BF16"], (1, 4), np.frombuffer(upper.tobytes(), np.uint8), "file")

    assert np.array_equal(tensor.float32(), values)


@pytest.mark.parametrize("kind", QUANTIZED, ids=lambda kind: kind.name)
def test_rows_can_be_taken_without_decoding(kind):
    tensor = checked("w", kind, (6, 256), raw_blocks(kind, 6, 256).reshape(-1), "file")
    order = np.array([5, 0, 3])

    assert np.array_equal(tensor.take(order).float32(), tensor.float32()[order])


def test_chunks_make_the_whole():
    tensor = checked("w", KINDS["Q8_0"], (7, 64), raw_blocks(KINDS["Q8_0"], 7, 64).reshape(-1), "file")

    assert np.array_equal(np.concatenate(list(tensor.float32_chunks(3))), tensor.float32())


def test_wrong_sizes_are_named():
    with pytest.raises(ModelFileError, match=r"f\.gguf: w: the tensor needs 68 bytes"):
        checked("w", KINDS["Q8_0"], (2, 32), np.zeros(67, np.uint8), "f.gguf")
    with pytest.raises(ModelFileError, match="multiple of 32"):
        checked("w", KINDS["Q8_0"], (2, 33), np.zeros(68, np.uint8), "f.gguf")


def test_plain_floats_have_no_codes():
    with pytest.raises(UnsupportedError, match="F32 is not a block format"):
        Tensor.of("w", np.ones((2, 2))).codes()


@pytest.mark.parametrize("kind", QUANTIZED, ids=lambda kind: kind.name)
def test_a_factor_reaches_every_value_and_no_code(kind):
    tensor = Tensor("t", kind, (2, 256), raw_blocks(kind, 2, 256, seed=1))

    scaled = tensor.times(0.5).take(slice(1, 2)).times(0.25)

    assert np.array_equal(scaled.float32(), tensor.float32()[1:] / 8)
    assert np.array_equal(scaled.codes().float32(), scaled.float32())
    assert np.array_equal(scaled.codes().codes, tensor.codes().codes[1:])


def test_a_factor_reaches_plain_floats():
    tensor = Tensor.of("t", np.arange(6.0).reshape(2, 3))

    assert np.array_equal(tensor.times(3).float32(), np.arange(6.0).reshape(2, 3) * 3)
