"""Metadata and tensors of a GGUF file -> `ModelConfig`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from runtime.config import FAMILIES, Fields, ModelConfig, family_switches, ids
from runtime.errors import ModelFileError
from runtime.rope import from_gguf

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    fields = Fields(metadata, file, family + ".")
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
        **family_switches(family, "gelu" if family.startswith("gemma") else "silu"),
        **_gguf_scales(fields, family, layers, head_dim),
    )


def _gguf_stops(metadata: Mapping[str, Any]) -> tuple[int, ...]:
    keys = ("eos_token_id", "eot_token_id", "eom_token_id")
    found = (metadata.get(f"tokenizer.ggml.{key}") for key in keys)
    return tuple(dict.fromkeys(value for value in found if value is not None))


def _gguf_scales(fields: Fields, family: str, layers: int, head_dim: int) -> dict[str, Any]:
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


def _gguf_windows(fields: Fields, family: str, layers: int) -> tuple[int, ...]:
    window = fields.get("attention.sliding_window") or 0
    if not window or family not in ("gemma2", "gemma3", "phi3"):
        return ()
    if family == "phi3":
        return (window,) * layers
    period = fields.count("attention.sliding_window_pattern", 2 if family == "gemma2" else 6)
    return tuple(0 if (layer + 1) % period == 0 else window for layer in range(layers))
