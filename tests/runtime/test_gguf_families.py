"""Every family from GGUF, written as llama.cpp's converter writes it: the same model as from safetensors."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_models
from numpy_forward import forward, greedy
from test_exact_repack import permuted
from tiny_models import MODELS, PROMPT, config_json, state, write_folder

from runtime.export import export
from runtime.forms import open_driver
from runtime.generator import Generator, Settings
from runtime.graph.decoder import GraphOptions
from runtime.weights import open_weights

gguf = pytest.importorskip("gguf")
# GGUF has no query_pre_attn_scalar: llama.cpp scales by the head, as all Gemma models but the 27B ones do.
CHANGES = {"gemma2": {"query_pre_attn_scalar": 16}, "gemma3": {"query_pre_attn_scalar": 16}}
NAMES = [name for name in [*MODELS, "minicpm"] if name not in ("llama-tied-scaled", "llama-head-dim", "mistral-window")]


def write_gguf(path, config, tensors):
    """Keys, names and row orders of convert_hf_to_gguf.py."""
    family = {"gemma3_text": "gemma3"}.get(config["model_type"], config["model_type"])
    writer = gguf.GGUFWriter(path, family)
    layers, heads = config["num_hidden_layers"], config["num_attention_heads"]
    writer.add_block_count(layers)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    if "head_dim" in config:
        writer.add_key_length(config["head_dim"])
    add_rope(writer, config)
    add_switches(writer, family, config)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[family.upper()], layers)
    for theirs, values in tensors.items():
        ours = names.get_name(theirs, try_suffixes=(".weight", ".bias"))
        writer.add_tensor(ours, as_converted(family, theirs, values, config))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def as_converted(family, name, values, config):
    """Rows in the converter's order, and Gemma's norms with the 1 added that they are used with."""
    heads = {"q_proj": config["num_attention_heads"], "k_proj": config["num_key_value_heads"]}
    for part, count in heads.items():
        if family in ("llama", "granite", "minicpm") and part in name:
            return permuted(values, count)
    return values + np.float32(1) if family.startswith("gemma") and "norm" in name else values


def add_rope(writer, config):
    size = config.get("head_dim", config["hidden_size"] // config["num_attention_heads"])
    writer.add_rope_dimension_count(int(size * config.get("partial_rotary_factor", 1)))
    writer.add_rope_freq_base(config.get("rope_theta", 1e6 if config["model_type"] == "gemma3_text" else 1e4))
    scaling = config.get("rope_scaling") or {}
    if scaling.get("rope_type") == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(scaling["factor"])
    if scaling.get("type") == "longrope":
        writer.add_rope_scaling_orig_ctx_len(config["original_max_position_embeddings"])
        for name in ("long", "short"):
            writer.add_tensor(f"rope_factors_{name}.weight", np.array(scaling[f"{name}_factor"], np.float32))


def add_switches(writer, family, config):
    if family.startswith("gemma"):
        writer.add_sliding_window(config["sliding_window"])
    if family == "gemma3":
        writer.add_uint32("gemma3.attention.sliding_window_pattern", 2)
    if family == "granite":
        writer.add_embedding_scale(config["embedding_multiplier"])
        writer.add_residual_scale(config["residual_multiplier"])
        writer.add_logit_scale(config["logits_scaling"])
        writer.add_attention_scale(config["attention_multiplier"])
    if family == "minicpm":
        writer.add_embedding_scale(config["scale_emb"])
        writer.add_residual_scale(config["scale_depth"] / config["num_hidden_layers"] ** 0.5)
        writer.add_logit_scale(config["hidden_size"] / config["dim_model_base"])


@pytest.mark.parametrize("name", NAMES)
def test_a_family_from_gguf_is_that_from_safetensors(tmp_path, monkeypatch, name):
    if name in CHANGES:
        monkeypatch.setitem(tiny_models.MODELS, name, (MODELS[name][0], {**MODELS[name][1], **CHANGES[name]}))
    write_folder(tmp_path / "hf", name)
    write_gguf(tmp_path / "model.gguf", config_json(name), state(name))
    expected = open_weights(tmp_path / "hf")

    found = open_weights(tmp_path / "model.gguf")

    assert np.abs(forward(found, PROMPT) - forward(expected, PROMPT)).max() < 1e-4
    export(tmp_path / "model.gguf", tmp_path / "out", GraphOptions(form="plain"))
    ids = Generator(open_driver(tmp_path / "out")).generate_ids(PROMPT, Settings(max_new_tokens=1, stop_ids=()))
    assert ids == greedy(expected, PROMPT, 1)
