"""GGUF blocks in a graph: the same logits as the dequantised weights in numpy, for every block format."""

from __future__ import annotations

import numpy as np
import pytest
from numpy_forward import forward
from tiny_models import PROMPT, config_json, state

from runtime.export import export
from runtime.forms import open_driver
from runtime.graph.decoder import GraphOptions
from runtime.graph.linear import Precision
from runtime.weights import open_weights

gguf = pytest.importorskip("gguf")
WIDE = {"hidden_size": 256, "intermediate_size": 256, "num_hidden_layers": 1, "num_attention_heads": 8}
CASES = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "IQ4_NL", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"]


def write_gguf(path, kind, name="llama", **changes):
    """A llama in GGUF with its matrices in one block format; K-quants get random blocks."""
    import tiny_models

    tiny_models.MODELS["wide"] = (tiny_models.MODELS[name][0], {**tiny_models.MODELS[name][1], **WIDE, **changes})
    config, tensors = config_json("wide"), state("wide")
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config.get("rope_theta", 10000.0))
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    for theirs, values in tensors.items():
        target = names.get_name(theirs, try_suffixes=(".weight",))
        for part, heads in (("q_proj", config["num_attention_heads"]), ("k_proj", config["num_key_value_heads"])):
            if part in theirs:
                tensors[theirs] = permuted(values, heads)
        add(writer, target, tensors[theirs], kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def permuted(values, heads):
    """Row order of convert_hf_to_gguf.py."""
    return values.reshape(heads, 2, len(values) // heads // 2, -1).swapaxes(1, 2).reshape(values.shape)


def add(writer, name, values, kind):
    quant = gguf.GGMLQuantizationType[kind]
    if values.ndim == 1 or kind == "F32":
        writer.add_tensor(name, values)
    elif kind == "F16":
        writer.add_tensor(name, values.astype(np.float16))
    elif kind.endswith("_K") or kind == "IQ4_NL":
        from test_blocks import raw_blocks

        from runtime.blocks import KINDS

        largest = {"IQ4_NL": 127, "Q2_K": 15 * 3, "Q3_K": 32 * 4, "Q4_K": 63 * 15, "Q5_K": 63 * 31, "Q6_K": 128 * 32}
        raw = raw_blocks(KINDS[kind], *values.shape, seed=len(name), spread=0.4 / largest[kind])
        writer.add_tensor(name, raw, raw_dtype=quant)
    else:
        writer.add_tensor(name, gguf.quants.quantize(values, quant), raw_dtype=quant)


@pytest.mark.parametrize("kind", CASES)
def test_blocks_in_the_graph_have_the_values_of_the_file(tmp_path, kind):
    write_gguf(tmp_path / "model.gguf", kind)
    weights = open_weights(tmp_path / "model.gguf")
    expected = forward(weights, PROMPT)

    for form, weights_kind in (("fused", "float"), ("plain", "exact"), ("fused", "exact")):
        precision = Precision(weights_kind, fast=False)
        export(
            tmp_path / "model.gguf", tmp_path / f"{form}-{weights_kind}", GraphOptions(form=form, precision=precision)
        )
        logits = open_driver(tmp_path / f"{form}-{weights_kind}").all_logits(PROMPT)
        if weights_kind == "float" or kind in ("F32", "F16", "BF16"):
            assert np.abs(logits - expected).max() < 1e-4 * max(1, np.abs(expected).max())
        else:  # products with 8-bit codes have int8 activations
            assert np.corrcoef(logits.reshape(-1), expected.reshape(-1))[0, 1] > 0.999


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q4_K", "Q2_K", "Q3_K"])
def test_four_bit_bodies_are_exact(tmp_path, kind):
    write_gguf(tmp_path / "model.gguf", kind)
    expected = forward(open_weights(tmp_path / "model.gguf"), PROMPT)

    precision = Precision("exact", fast=False)
    export(tmp_path / "model.gguf", tmp_path / "out", GraphOptions(precision=precision))

    logits = open_driver(tmp_path / "out").all_logits(PROMPT)
    assert np.abs(logits - expected).max() < 2e-4 * max(1, np.abs(expected).max())


def test_a_gguf_llama_equals_its_hugging_face_form(tmp_path):
    import tiny_models

    write_gguf(tmp_path / "model.gguf", "F32")
    tiny_models.write_folder(tmp_path / "folder", "wide")

    one, other = open_weights(tmp_path / "model.gguf"), open_weights(tmp_path / "folder")

    assert np.abs(forward(one, PROMPT) - forward(other, PROMPT)).max() < 1e-4
