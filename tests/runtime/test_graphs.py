"""Graphs of every family, plain and fused, against the numpy forward pass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from numpy_forward import forward, greedy
from onnx import helper
from tiny_models import MODELS, PROMPT, write_folder

from runtime.blocks import Tensor
from runtime.errors import UnsupportedError
from runtime.export import export
from runtime.forms import open_driver
from runtime.generator import Generator, Settings
from runtime.graph.decoder import GraphOptions
from runtime.graph.linear import Precision, block_codes

NAMES = [*MODELS, "minicpm"]
FORMS = ["plain", "fused"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_logits_are_those_of_numpy(export_tiny, name, form):
    folder, weights = export_tiny(name, GraphOptions(form=form))
    driver = open_driver(folder)

    logits = driver.all_logits(PROMPT)

    assert driver.form == {"plain": "optimum", "fused": "shared buffer"}[form]
    assert np.abs(logits - forward(weights, PROMPT)).max() < 1e-4


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_greedy_tokens_are_those_of_numpy(export_tiny, name, form):
    folder, weights = export_tiny(name, GraphOptions(form=form))
    generator = Generator(open_driver(folder), chunk=5)  # chunks shorter than the prompt and the windows' edge
    count = 1 if name == "phi3-long" else 12  # numpy redoes the past with long factors; a cache keeps it as it was

    ids = generator.generate_ids(PROMPT, Settings(max_new_tokens=count, stop_ids=()))

    assert ids == greedy(weights, PROMPT, count)


@pytest.mark.parametrize("form", FORMS)
def test_long_rope_takes_over_past_its_switch(export_tiny, form):
    folder, weights = export_tiny("phi3-long", GraphOptions(form=form))
    longer = PROMPT * 3

    logits = open_driver(folder).all_logits(longer)

    assert len(longer) > weights.config.rope.switch
    assert np.abs(logits - forward(weights, longer)).max() < 1e-4


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("logits", ["last", "all", "keep"])
def test_logits_of_the_positions_asked_for(export_tiny, form, logits):
    folder, weights = export_tiny("llama", GraphOptions(form=form, logits=logits))

    last = open_driver(folder).feed(PROMPT)

    assert np.abs(last - forward(weights, PROMPT)[-1]).max() < 1e-4


@pytest.mark.parametrize("name", ["llama", "qwen2", "qwen3", "gemma2"])  # weights, biases, norms, a cap on top
def test_the_scale_of_the_attention_is_in_the_queries(export_tiny, name):
    folder, weights = export_tiny(name)

    attentions = [
        helper.get_attribute_value(attribute)
        for node in onnx.load(folder / "model.onnx", load_external_data=False).graph.node
        for attribute in node.attribute
        if attribute.name == "scale"
    ]

    assert attentions == [1.0] * weights.config.layers


def test_context_sets_the_length_of_the_fused_form(export_tiny):
    folder, _ = export_tiny("llama", GraphOptions(context=40))

    assert open_driver(folder).limit == 40


def test_sharded_weights_make_the_same_graph(tmp_path):
    write_folder(tmp_path / "one", "qwen2")
    write_folder(tmp_path / "three", "qwen2", shards=3)
    for name in ("one", "three"):
        export(tmp_path / name, tmp_path / f"{name}-out")

    one, three = ((tmp_path / f"{name}-out" / "model.onnx.data").read_bytes() for name in ("one", "three"))

    assert one == three


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["llama", "gemma3", "qwen3"])
def test_half_precision_stays_close(export_tiny, name, form):
    folder, weights = export_tiny(name, GraphOptions(form=form, precision=Precision(half=True)))

    logits = open_driver(folder).all_logits(PROMPT)

    expected = forward(weights, PROMPT)
    assert np.abs(logits - expected).max() < 0.02 * np.abs(expected).max()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["int8", "int4"])
def test_quantised_graphs_compute_with_the_quantised_weights(export_tiny, form, kind):
    folder, weights = export_tiny("llama", GraphOptions(form=form, precision=Precision(weights=kind, fast=False)))

    logits = open_driver(folder).all_logits(PROMPT)

    expected = forward(rounded(weights, kind), PROMPT)
    assert np.corrcoef(logits.reshape(-1), expected.reshape(-1))[0, 1] > 0.998  # activations of 8-bit products are int8


def rounded(weights, kind):
    """The same weights after quantising; embedding and head stay at 8 bits in int4 models."""
    tensors = {}
    for name, tensor in weights.tensors.items():
        if len(tensor.shape) == 2:
            how = "int8" if kind == "int8" or name in ("embed", "head") else "int4"
            tensors[name] = Tensor.of(name, np.concatenate([codes.float32() for codes in block_codes(tensor, how)]))
        else:
            tensors[name] = tensor
    return replace(weights, tensors=tensors)


@pytest.mark.parametrize(
    "wrong",
    [lambda: GraphOptions(form="fusde"), lambda: GraphOptions(logits="some"), lambda: Precision("int3")],
)
def test_unknown_options_are_refused(wrong):
    with pytest.raises(UnsupportedError, match="must be one of"):
        wrong()


def test_an_interrupted_export_leaves_no_graph(tmp_path):
    write_folder(tmp_path / "source", "llama")

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(tmp_path / "source", tmp_path / "out", progress=interrupt)

    assert not (tmp_path / "out").exists()


def test_the_graph_says_what_it_is(export_tiny):
    folder, weights = export_tiny("llama", GraphOptions(precision=Precision("int8"), context=64))

    driver = open_driver(folder)

    assert driver.info.stop_ids == (2,)
    assert driver.info.bos_ids == (1,)
    assert driver.info.context == 64
    assert driver.vocab_size == weights.config.vocab_size
    assert driver.info.extra["tokenizers_lite.weights"] == "int8"
