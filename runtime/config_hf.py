"""config.json of a Hugging Face folder -> `ModelConfig`."""

from __future__ import annotations

import json
import math
import os
from typing import TYPE_CHECKING, Any

from runtime.config import FAMILIES, Fields, ModelConfig, family_switches, ids
from runtime.errors import ModelFileError
from runtime.rope import from_hf

if TYPE_CHECKING:
    from collections.abc import Mapping

_HF_TYPES = {"gemma3_text": "gemma3", "mistral": "llama", **{name: name for name in FAMILIES}}


def from_folder(folder: str | os.PathLike[str]) -> ModelConfig:
    """Read ``config.json`` (and the stop ids of ``generation_config.json``) of a Hugging Face folder.

    Raises:
        ModelFileError: a field is missing or wrong, or the family is not one of `FAMILIES`.
    """
    path = os.path.join(os.fspath(folder), "config.json")
    if not os.path.exists(path):
        raise ModelFileError("config.json is missing; fetch it beside the weights", file=os.fspath(folder))
    values = _json(path)
    generation = os.path.join(os.fspath(folder), "generation_config.json")
    if os.path.exists(generation):
        stops = _json(generation).get("eos_token_id")
        values = {**values, "eos_token_id": stops if stops is not None else values.get("eos_token_id")}
    return from_config(values, path)


def _json(path: str) -> dict[str, Any]:
    with open(path, encoding="utf-8") as stream:
        try:
            values = json.load(stream)
        except ValueError as error:
            raise ModelFileError(f"not JSON: {error}", file=path) from error
    if not isinstance(values, dict):
        raise ModelFileError("a JSON object is needed", file=path, value=values)
    return values


def from_config(values: Mapping[str, Any], file: str = "config.json") -> ModelConfig:
    """Make a description of the content of a Hugging Face ``config.json``."""
    kind = values.get("model_type")
    if not isinstance(kind, str) or kind not in _HF_TYPES:
        raise ModelFileError(
            f"model_type is not one of {', '.join(sorted(_HF_TYPES))}", file=file, field="model_type", value=kind
        )
    if values.get("num_local_experts") or values.get("quantization_config"):
        raise ModelFileError("mixtures of experts and pre-quantised checkpoints are not supported", file=file)
    family = _HF_TYPES[kind]
    fields = Fields(values, file)
    layers, hidden, heads = (fields.count(name) for name in ("num_hidden_layers", "hidden_size", "num_attention_heads"))
    head_dim = fields.count("head_dim", 256 if family.startswith("gemma") else max(hidden // heads, 1))
    rope, local_rope = from_hf(values, head_dim, file)
    return ModelConfig(
        family=family,
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=fields.count("num_key_value_heads", heads),
        head_dim=head_dim,
        feed_forward=fields.count("intermediate_size"),
        vocab_size=fields.count("vocab_size"),
        context=fields.count("max_position_embeddings", 131072),
        epsilon=fields.number("rms_norm_eps", 1e-6),
        rope=rope,
        local_rope=local_rope,
        windows=_hf_windows(fields, family, layers),
        tied=bool(values.get("tie_word_embeddings", family.startswith("gemma"))),
        bos_ids=ids(values.get("bos_token_id")),
        stop_ids=ids(values.get("eos_token_id")),
        norm_offset=1.0 if family.startswith("gemma") else 0.0,
        **family_switches(family, _activation(fields, family)),
        **_hf_scales(fields, family, layers),
    )


def _activation(fields: Fields, family: str) -> str:
    """Name the activation, and refuse one that the graph would silently get wrong."""
    default = "gelu_pytorch_tanh" if family.startswith("gemma") else "silu"
    name = fields.get("hidden_activation") or fields.get("hidden_act", default)
    if family.startswith("gemma") and name == "gelu":
        name = default  # transformers' Gemma2Config says so of old checkpoints
    if name not in ("silu", "gelu_pytorch_tanh"):
        raise ModelFileError("activation not supported", file=fields.file, field="hidden_act", value=name)
    return "silu" if name == "silu" else "gelu"


def _hf_scales(fields: Fields, family: str, layers: int) -> dict[str, Any]:
    """Collect the constant factors that a family puts between its parts."""
    hidden = fields.number("hidden_size")
    if family == "minicpm":
        return {
            "embedding_scale": fields.number("scale_emb", 1),
            "residual_scale": fields.number("scale_depth", math.sqrt(layers)) / math.sqrt(layers),
            "logit_scale": fields.number("dim_model_base", hidden) / hidden,
        }
    if family == "granite":
        return {
            "embedding_scale": fields.number("embedding_multiplier", 1),
            "residual_scale": fields.number("residual_multiplier", 1),
            "logit_scale": 1 / fields.number("logits_scaling", 1),
            "attention_scale": fields.number("attention_multiplier", 1),
        }
    if family in ("gemma2", "gemma3"):
        caps = (50.0, 30.0) if family == "gemma2" else (0, 0)
        return {
            "embedding_scale": math.sqrt(hidden),
            "attention_scale": fields.number("query_pre_attn_scalar", 256) ** -0.5,
            "attention_cap": _optional(fields, "attn_logit_softcapping", caps[0]),
            "logit_cap": _optional(fields, "final_logit_softcapping", caps[1]),
        }
    return {}


def _optional(fields: Fields, name: str, default: float) -> float:
    """Read a number where an explicit null switches the feature off."""
    return 0.0 if name in fields.values and fields.values[name] is None else fields.number(name, default)


def _hf_windows(fields: Fields, family: str, layers: int) -> tuple[int, ...]:
    window = fields.count("sliding_window") if fields.get("sliding_window") else 0
    types = fields.get("layer_types")
    if family in ("qwen2", "qwen3") and not fields.get("use_sliding_window", False):
        return ()
    if not window:
        return ()
    if types is None:
        if family in ("gemma2", "gemma3"):
            period = 2 if family == "gemma2" else fields.count("sliding_window_pattern", 6)
            return tuple(0 if (layer + 1) % period == 0 else window for layer in range(layers))
        if family in ("qwen2", "qwen3"):
            first = fields.get("max_window_layers", 28)
            return tuple(window if layer >= first else 0 for layer in range(layers))
        return (window,) * layers
    known = ("sliding_attention", "full_attention")
    if not isinstance(types, list) or len(types) != layers or any(kind not in known for kind in types):
        raise ModelFileError(
            "one of sliding_attention, full_attention per layer is needed",
            file=fields.file,
            field="layer_types",
            value=types,
        )
    return tuple(window if kind == "sliding_attention" else 0 for kind in types)
