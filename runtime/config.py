"""What a decoder is made of: config.json or GGUF metadata -> one `ModelConfig`.

Families differ in a handful of numbers and switches, so there is one description and one graph
builder, and no class per model. Names of fields follow the mathematics, not a library.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime.errors import ModelFileError
from runtime.rope import Rope, from_gguf, from_hf

if TYPE_CHECKING:
    from collections.abc import Mapping

FAMILIES = ("llama", "qwen2", "qwen3", "gemma2", "gemma3", "phi3", "minicpm", "granite")
_HF_TYPES = {"gemma3_text": "gemma3", "mistral": "llama", **{name: name for name in FAMILIES}}


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Shape and constants of one decoder.

    `windows[i]` is the sliding window of layer i, 0 for full attention; `local_rope` is the rotary
    embedding of the windowed layers where it differs (Gemma 3).
    """

    family: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    feed_forward: int
    vocab_size: int
    context: int
    epsilon: float
    rope: Rope
    local_rope: Rope | None = None
    windows: tuple[int, ...] = ()
    tied: bool = False
    activation: str = "silu"  # or "gelu" (the tanh form)
    qk_norm: bool = False
    post_norms: bool = False
    embedding_scale: float = 1.0
    residual_scale: float = 1.0
    logit_scale: float = 1.0
    attention_scale: float = 0.0  # 0: 1/sqrt(head_dim)
    attention_cap: float = 0.0
    logit_cap: float = 0.0
    norm_offset: float = 0.0  # Gemma stores w, applies 1 + w (GGUF stores the sum)
    bos_ids: tuple[int, ...] = ()
    stop_ids: tuple[int, ...] = ()

    @property
    def scale(self) -> float:
        """Factor of the attention scores."""
        return self.attention_scale or self.head_dim**-0.5

    def rope_of(self, layer: int) -> Rope:
        """Rotary embedding of a layer."""
        return self.local_rope if self.local_rope is not None and self.window(layer) else self.rope

    def window(self, layer: int) -> int:
        """Sliding window of a layer; 0 means all of the past."""
        return self.windows[layer] if self.windows else 0


def ids(value: Any) -> tuple[int, ...]:
    """Read the ways configs write token ids: missing, one, or a list."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list) else (value,)


class _Fields:
    """Typed access to a mapping, with errors that name file and field."""

    def __init__(self, values: Mapping[str, Any], file: str, prefix: str = "") -> None:
        self.values = values
        self.file = file
        self.prefix = prefix

    def get(self, name: str, default: Any = None) -> Any:
        value = self.values.get(self.prefix + name)
        return default if value is None else value

    def number(self, name: str, default: float | None = None) -> float:
        value = self.get(name, default)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
            raise ModelFileError("a number is needed", file=self.file, field=self.prefix + name, value=value)
        return value

    def count(self, name: str, default: int | None = None) -> int:
        value = self.number(name, default)
        if value != int(value) or value < 1:
            raise ModelFileError("a positive integer is needed", file=self.file, field=self.prefix + name, value=value)
        return int(value)


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
    if kind not in _HF_TYPES:
        raise ModelFileError(
            f"model_type is not one of {', '.join(sorted(_HF_TYPES))}", file=file, field="model_type", value=kind
        )
    if values.get("num_local_experts") or values.get("quantization_config"):
        raise ModelFileError("mixtures of experts and pre-quantised checkpoints are not supported", file=file)
    family = _HF_TYPES[kind]
    fields = _Fields(values, file)
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
        **_family_switches(family, _activation(fields, family)),
        **_hf_scales(fields, family, layers),
    )


def _activation(fields: _Fields, family: str) -> str:
    """Name the activation, and refuse one that the graph would silently get wrong."""
    default = "gelu_pytorch_tanh" if family.startswith("gemma") else "silu"
    name = fields.get("hidden_activation") or fields.get("hidden_act", default)
    if family.startswith("gemma") and name == "gelu":
        name = default  # transformers' Gemma2Config says so of old checkpoints
    if name not in ("silu", "gelu_pytorch_tanh"):
        raise ModelFileError("activation not supported", file=fields.file, field="hidden_act", value=name)
    return "silu" if name == "silu" else "gelu"


def _family_switches(family: str, activation: str) -> dict[str, Any]:
    return {
        "activation": activation,
        "qk_norm": family in ("qwen3", "gemma3"),
        "post_norms": family in ("gemma2", "gemma3"),
    }


def _hf_scales(fields: _Fields, family: str, layers: int) -> dict[str, Any]:
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


def _optional(fields: _Fields, name: str, default: float) -> float:
    """Read a number where an explicit null switches the feature off."""
    return 0.0 if name in fields.values and fields.values[name] is None else fields.number(name, default)


def _hf_windows(fields: _Fields, family: str, layers: int) -> tuple[int, ...]:
    window = fields.get("sliding_window") or 0
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
    unknown = set(types) - {"sliding_attention", "full_attention"}
    if unknown or len(types) != layers:
        raise ModelFileError(
            "one of sliding_attention, full_attention per layer is needed",
            file=fields.file,
            field="layer_types",
            value=types,
        )
    return tuple(window if kind == "sliding_attention" else 0 for kind in types)


def from_gguf_metadata(
    metadata: Mapping[str, Any], tensors: Mapping[str, Any], file: str = "model.gguf"
) -> ModelConfig:
    """Make a description of the metadata of a GGUF file, and of the tensors it has.

    Raises:
        ModelFileError: a key is missing or wrong, or the architecture is not supported.
    """
    family = metadata.get("general.architecture")
    if family not in FAMILIES:
        raise ModelFileError(
            f"architecture is not one of {', '.join(FAMILIES)}", file=file, field="general.architecture", value=family
        )
    fields = _Fields(metadata, file, family + ".")
    layers, hidden, heads = (fields.count(name) for name in ("block_count", "embedding_length", "attention.head_count"))
    head_dim = fields.count("attention.key_length", max(hidden // heads, 1))
    if "token_embd.weight" not in tensors:
        raise ModelFileError("the tensor is missing", file=file, field="token_embd.weight")
    rope, local_rope = from_gguf(metadata, tensors, family, head_dim, file)
    return ModelConfig(
        family=family,
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=fields.count("attention.head_count_kv", heads),
        head_dim=head_dim,
        feed_forward=fields.count("feed_forward_length"),
        vocab_size=tensors["token_embd.weight"].shape[0],
        context=fields.count("context_length", 4096),
        epsilon=fields.number("attention.layer_norm_rms_epsilon", 1e-6),
        rope=rope,
        local_rope=local_rope,
        windows=_gguf_windows(fields, family, layers),
        tied="output.weight" not in tensors,
        bos_ids=ids(metadata.get("tokenizer.ggml.bos_token_id")),
        stop_ids=_gguf_stops(metadata),
        **_family_switches(family, "gelu" if family.startswith("gemma") else "silu"),
        **_gguf_scales(fields, family, layers, head_dim),
    )


def _gguf_stops(metadata: Mapping[str, Any]) -> tuple[int, ...]:
    keys = ("eos_token_id", "eot_token_id", "eom_token_id")
    found = (metadata.get(f"tokenizer.ggml.{key}") for key in keys)
    return tuple(dict.fromkeys(value for value in found if value is not None))


def _gguf_scales(fields: _Fields, family: str, layers: int, head_dim: int) -> dict[str, Any]:
    hidden = fields.number("embedding_length")
    if family in ("minicpm", "granite"):
        # llama.cpp's defaults for old MiniCPM files: llm_load_hparams, LLM_ARCH_MINICPM
        old = (12.0, 1.4 / math.sqrt(layers), 256.0 / hidden) if family == "minicpm" else (1.0, 1.0, 1.0)
        stored = fields.get("logit_scale")
        return {
            "embedding_scale": fields.number("embedding_scale", old[0]),
            "residual_scale": fields.number("residual_scale", old[1]),
            "logit_scale": 1 / fields.number("logit_scale") if stored else old[2],
            "attention_scale": fields.number("attention.scale", 0),
        }
    if family in ("gemma2", "gemma3"):
        largest = layers == (46 if family == "gemma2" else 62)  # the 27B models scale by width, not by head
        heads = fields.count("attention.head_count")
        return {
            "embedding_scale": math.sqrt(hidden),
            "attention_scale": (hidden / heads if largest else head_dim) ** -0.5,
            "attention_cap": fields.number("attn_logit_softcapping", 50 if family == "gemma2" else 0),
            "logit_cap": fields.number("final_logit_softcapping", 30 if family == "gemma2" else 0),
        }
    return {}


def _gguf_windows(fields: _Fields, family: str, layers: int) -> tuple[int, ...]:
    window = fields.get("attention.sliding_window") or 0
    if not window or family not in ("gemma2", "gemma3", "phi3"):
        return ()
    if family == "phi3":
        return (window,) * layers
    period = fields.count("attention.sliding_window_pattern", 2 if family == "gemma2" else 6)
    return tuple(0 if (layer + 1) % period == 0 else window for layer in range(layers))
