"""Quantising graphs of others, and the report on what it costs."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from tiny_models import PROMPT
from toy_text import ToyCodec

from runtime import quantize as module
from runtime.blocks import KINDS, Codes, checked
from runtime.errors import ModelFileError, PromptError, UnsupportedError
from runtime.forms import open_driver
from runtime.graph.decoder import GraphOptions
from runtime.graph.linear import packed, shifted
from runtime.graph.quantizers import quantize_int4, quantize_int8
from runtime.quantize import quantize
from runtime.report import compare, compare_drivers


@pytest.mark.parametrize("name", ["llama", "llama-tied-scaled", "gemma3"])
@pytest.mark.parametrize("form", ["plain", "fused"])
@pytest.mark.parametrize(("method", "bound"), [("int8", 0.99), ("int4", 0.8), ("half", 0.999), ("dynamic", 0.8)])
def test_a_quantised_graph_runs_and_stays_near(export_tiny, tmp_path, name, form, method, bound):
    folder, _ = export_tiny(name, GraphOptions(form=form))
    expected = open_driver(folder).all_logits(PROMPT)

    done = quantize(folder, tmp_path / "small", method)

    logits = open_driver(tmp_path / "small").all_logits(PROMPT)
    assert np.corrcoef(logits.reshape(-1), expected.reshape(-1))[0, 1] > bound
    assert done.bytes < done.before


@pytest.mark.parametrize(
    ("method", "activations", "needs"),
    [("int8", "float32 with int8 products", "1.22"), ("half", "float16", "1.18"), ("dynamic", "float32 with", "1.18")],
)
def test_a_quantised_graph_says_what_it_is(export_tiny, tmp_path, method, activations, needs):
    folder, _ = export_tiny("llama")

    quantize(folder, tmp_path / "small", method)

    said = open_driver(tmp_path / "small").info.extra
    assert said["tokenizers_lite.weights"] == method
    assert said["tokenizers_lite.activations"].startswith(activations)
    assert said["tokenizers_lite.requires"] == needs


def test_blockwise_quantising_leaves_no_float_product(export_tiny, tmp_path):
    folder, _ = export_tiny("llama", GraphOptions(form="plain"))
    quantize(folder, tmp_path / "small", "int8")

    model = onnx.load(tmp_path / "small" / "model.onnx", load_external_data=False)

    tensors = {tensor.name for tensor in model.graph.initializer}
    kinds = [node.op_type for node in model.graph.node]
    left = [node for node in model.graph.node if node.op_type == "MatMul" and node.input[1] in tensors]
    assert kinds.count("MatMulNBits") == 2 * 7 + 1  # q k v o gate up down in each layer, and the head
    assert not left


def test_errors_of_quantising(tmp_path, export_tiny):
    folder, _ = export_tiny("llama")

    with pytest.raises(UnsupportedError, match="method must be one of"):
        quantize(folder, tmp_path / "x", "int3")
    with pytest.raises(ModelFileError, match="choose another folder"):
        quantize(folder, folder)
    with pytest.raises(ModelFileError, match="no such graph"):
        quantize(tmp_path / "nowhere", tmp_path / "x")
    assert set(module.METHODS) == {"int8", "int4", "dynamic", "half"}


def test_a_graph_that_does_not_load_replaces_nothing(export_tiny, tmp_path, monkeypatch):
    folder, _ = export_tiny("llama")
    quantize(folder, tmp_path / "small", "int8")
    before = (tmp_path / "small" / "model.onnx").read_bytes()
    monkeypatch.setattr(module, "_dynamic", lambda graph, made, method: open(made, "wb").close())

    with pytest.raises(UnsupportedError, match="cannot be turned into dynamic, nothing was written"):
        quantize(folder, tmp_path / "small", "dynamic")

    assert (tmp_path / "small" / "model.onnx").read_bytes() == before


def test_a_graph_compared_with_itself_loses_nothing(export_tiny):
    folder, _ = export_tiny("llama")
    one, two = open_driver(folder), open_driver(folder)

    result = compare_drivers(one, two, PROMPT * 5, window=16)

    assert result.tokens == len(PROMPT) * 5 - 1
    assert result.divergence == pytest.approx(0, abs=1e-6)
    assert result.agreement == 1
    assert result.perplexity == pytest.approx(result.reference_perplexity)


def test_perplexity_is_the_exponent_of_the_mean_loss(export_tiny):
    folder, _ = export_tiny("llama")
    driver = open_driver(folder)
    logits = np.asarray(driver.all_logits(PROMPT[:-1]), dtype=np.float64)
    chances = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    expected = np.exp(-np.log(chances[np.arange(len(PROMPT) - 1), PROMPT[1:]]).mean())

    result = compare_drivers(driver, open_driver(folder), PROMPT)

    assert result.perplexity == pytest.approx(expected, rel=1e-4)


def test_reports_read_a_text(export_tiny, tmp_path, monkeypatch):
    folder, _ = export_tiny("llama")
    quantize(folder, tmp_path / "small", "int8")
    text = tmp_path / "text.txt"
    text.write_text("The quick brown fox. " * 20)
    load = module_load()
    monkeypatch.setattr(
        "runtime.report.load", lambda path, tokenizer=None, options=None: load(path, tokenizer=ToyCodec())
    )

    report = str(compare(str(folder), str(tmp_path / "small"), str(text), tokens=100))

    assert report.startswith("99 tokens: perplexity")
    assert "tokens/s (reference" in report
    with pytest.raises(PromptError, match="two tokens"):
        compare_drivers(open_driver(folder), open_driver(folder), [1])


def module_load():
    from runtime.model import load

    return load


@pytest.mark.parametrize("quantizer", [quantize_int8, quantize_int4])
def test_quantisers_are_near_and_exact_on_what_they_can_hold(quantizer):
    random = np.random.default_rng(0)
    matrix = random.normal(size=(8, 96)).astype(np.float32)
    codes = quantizer(matrix)
    steps = np.arange(32, dtype=np.float32) % 16 - 5

    assert np.abs(codes.float32() - matrix).max() < 4 / (127 if codes.bits == 8 else 12)
    assert np.allclose(quantizer(steps[None]).float32(), steps, atol=0.05)
    assert np.array_equal(quantizer(np.zeros((1, 32), np.float32)).float32(), np.zeros((1, 32)))


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.decode], ids=lambda kind: kind.name)
def test_moving_the_zero_changes_no_weight(kind):
    random = np.random.default_rng(1)
    raw = random.integers(0, 60, (3, 256 // kind.block * kind.size), dtype=np.uint8)  # finite halves
    codes = checked("w", kind, (3, 256), raw.reshape(-1), "f").codes()

    moved = shifted(codes)

    assert moved.zero == (8 if moved.bits == 4 else 128)
    assert np.allclose(moved.float32(), codes.float32(), rtol=1e-5, atol=1e-6 * np.abs(codes.float32()).max())


def test_packing_puts_even_places_in_the_low_half():
    codes = Codes(np.arange(16, dtype=np.uint8).reshape(1, 1, 16), np.ones((1, 1), np.float32), None, 8, 4)

    assert packed(codes)[0, 0].tolist() == [0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE]
