"""config.json: two generations of names, and values no model can have."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tiny_models import MODELS, config_json, write_folder

from runtime.config_hf import from_config
from runtime.errors import ModelFileError
from runtime.safetensors import INDEX
from runtime.weights import open_weights


def in_newer_words(config):
    """As transformers 5 writes what tiny_models has in the words of 4.57."""
    config = dict(config)
    scaling = dict(config.pop("rope_scaling", None) or {})
    kind = scaling.pop("type", None) or scaling.pop("rope_type", "default")
    theta = config.pop("rope_theta", 1e6 if config["model_type"] == "gemma3_text" else 1e4)
    full = {"rope_type": kind, "rope_theta": theta, **scaling}
    if "partial_rotary_factor" in config:
        full["partial_rotary_factor"] = config.pop("partial_rotary_factor")
    if config["model_type"] == "gemma3_text":
        local = {"rope_type": "default", "rope_theta": config.pop("rope_local_base_freq", 1e4)}
        return {**config, "rope_parameters": {"full_attention": full, "sliding_attention": local}}
    return {**config, "rope_parameters": full}


@pytest.mark.parametrize("name", [*MODELS, "minicpm"])
def test_both_generations_of_names_mean_the_same(name):
    old = from_config(config_json(name))
    new = from_config(in_newer_words(config_json(name)))

    for one, other in ((old.rope, new.rope), (old.local_rope, new.local_rope)):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert np.array_equal(one.frequencies, other.frequencies)
            assert (one.long is None and other.long is None) or np.array_equal(one.long, other.long)
            assert (one.switch, one.gain) == (other.switch, other.gain)


def test_the_base_of_the_newer_name_is_read():
    config = {**config_json("llama"), "rope_theta": None, "rope_parameters": {"rope_theta": 123.0}}

    assert from_config(config).rope.frequencies[1] == pytest.approx(123.0 ** (-2 / 16))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model_type", {"a": 1}),
        ("num_hidden_layers", 2**40),
        ("num_hidden_layers", 1.5),
        ("head_dim", 1e300),
        ("rope_theta", "x"),
        ("rope_scaling", -1.5),
        ("rope_scaling", {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": [None]}),
        ("rope_scaling", {"rope_type": "yarn"}),
        ("partial_rotary_factor", 2**40),
        ("partial_rotary_factor", "half"),
        ("eos_token_id", "</s>"),
        ("eos_token_id", [-1]),
        ("hidden_act", "relu"),
        ("rms_norm_eps", float("nan")),
    ],
)
def test_values_no_model_has_are_refused(field, value):
    with pytest.raises(ModelFileError):
        from_config({**config_json("llama"), field: value})


@pytest.mark.parametrize("types", [0, ["full_attention"], ["full_attention", [], "x"]])
def test_layer_types_are_one_per_layer(types):
    with pytest.raises(ModelFileError, match="per layer is needed"):
        from_config({**config_json("gemma3"), "layer_types": types})


@pytest.mark.parametrize("text", ["", "{", "[1]", "{}", '{"weight_map": 5}', '{"weight_map": {"a": 5}}'])
def test_an_index_that_is_none_is_named(tmp_path, text):
    write_folder(tmp_path, "llama", shards=2)
    (tmp_path / INDEX).write_text(text)

    with pytest.raises(ModelFileError, match=r"index\.json"):
        open_weights(tmp_path)


def test_a_shard_that_is_missing_is_named(tmp_path):
    write_folder(tmp_path, "llama", shards=2)
    (tmp_path / "model-00001.safetensors").unlink()

    with pytest.raises(ModelFileError, match="fetch it into the same folder"):
        open_weights(tmp_path)


def test_generation_config_is_json(tmp_path):
    write_folder(tmp_path, "llama")
    (tmp_path / "generation_config.json").write_text(json.dumps([1]))

    with pytest.raises(ModelFileError, match="a JSON object is needed"):
        open_weights(tmp_path)
