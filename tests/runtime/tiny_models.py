"""Tiny random models of every family, made alike for numpy, onnxruntime and torch.

Weights come from numpy's generator by seed and tensor name, so a reference made elsewhere needs
to store logits only.
"""

from __future__ import annotations

import json
import zlib

import numpy as np

VOCAB, PROMPT = 128, [5, 17, 99, 3, 64, 120, 8, 41, 77, 2, 33, 110]

_BASE = {
    "vocab_size": VOCAB,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
_LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
_LONG = {"type": "longrope", "short_factor": [1.0] * 8, "long_factor": [1.0 + 0.5 * i for i in range(8)]}

# name -> (transformers config class, its arguments)
MODELS = {
    "llama": ("LlamaConfig", {**_BASE, "rope_theta": 500.0}),
    "llama-tied-scaled": ("LlamaConfig", {**_BASE, "rope_scaling": _LLAMA3, "tie_word_embeddings": True}),
    "llama-linear": ("LlamaConfig", {**_BASE, "rope_scaling": {"rope_type": "linear", "factor": 2.0}}),
    "llama-head-dim": ("LlamaConfig", {**_BASE, "head_dim": 32, "attention_bias": True}),
    "mistral-window": ("MistralConfig", {**_BASE, "sliding_window": 5}),
    "qwen2": ("Qwen2Config", {**_BASE, "rope_theta": 1e6}),
    "qwen3": ("Qwen3Config", {**_BASE, "head_dim": 16, "rope_theta": 1e6}),
    "gemma2": (
        "Gemma2Config",
        {**_BASE, "head_dim": 16, "sliding_window": 5, "query_pre_attn_scalar": 24, "tie_word_embeddings": True},
    ),
    "gemma3": (
        "Gemma3TextConfig",
        {
            **_BASE,
            "num_hidden_layers": 3,
            "head_dim": 16,
            "sliding_window": 5,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
            "query_pre_attn_scalar": 24,
            "rope_scaling": {"rope_type": "linear", "factor": 8.0},
            "tie_word_embeddings": True,
        },
    ),
    "phi3": ("Phi3Config", {**_BASE, "sliding_window": None}),
    "phi3-long": (
        "Phi3Config",
        {**_BASE, "rope_scaling": _LONG, "original_max_position_embeddings": 14, "sliding_window": None},
    ),
    "phi3-partial": ("Phi3Config", {**_BASE, "partial_rotary_factor": 0.5, "sliding_window": None}),
    # The same mathematics as MiniCPM, whose own code is not part of transformers.
    "granite": (
        "GraniteConfig",
        {
            **_BASE,
            "embedding_multiplier": 12.0,
            "residual_multiplier": 0.35,
            "logits_scaling": 2.0,
            "attention_multiplier": 0.25,
        },
    ),
}
_TYPES = {"LlamaConfig": "llama", "MistralConfig": "mistral", "Gemma3TextConfig": "gemma3_text"}
# MiniCPM as its config.json writes the factors of the granite model above.
MINICPM = {
    **_BASE,
    "model_type": "minicpm",
    "scale_emb": 12.0,
    "scale_depth": 0.35 * 2**0.5,
    "dim_model_base": 32,
    "tie_word_embeddings": False,
}


def config_json(name: str) -> dict:
    """config.json as the family writes it."""
    if name == "minicpm":
        return MINICPM
    kind, values = MODELS[name]
    model_type = _TYPES.get(kind, kind.removesuffix("Config").lower())
    if name.startswith("gemma"):
        values = {**values, "hidden_activation": "gelu_pytorch_tanh"}
    return {**values, "model_type": model_type}


def state(name: str, seed: int = 0) -> dict[str, np.ndarray]:
    """Tensors under the names transformers gives them."""
    config = config_json(name)
    hidden, ffn, heads = config["hidden_size"], config["intermediate_size"], config["num_attention_heads"]
    size = config.get("head_dim", hidden // heads)
    query, key = heads * size, config["num_key_value_heads"] * size
    family = config["model_type"]
    shapes = {"model.embed_tokens.weight": (VOCAB, hidden), "model.norm.weight": (hidden,)}
    if not config["tie_word_embeddings"]:
        shapes["lm_head.weight"] = (VOCAB, hidden)
    for layer in range(config["num_hidden_layers"]):
        shapes.update(_layer(f"model.layers.{layer}.", family, config, (hidden, ffn, query, key, size)))
    return {tensor: _values(tensor, shape, seed) for tensor, shape in shapes.items()}


def _layer(prefix: str, family: str, config: dict, sizes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    hidden, ffn, query, key, size = sizes
    shapes = {
        "self_attn.q_proj.weight": (query, hidden),
        "self_attn.k_proj.weight": (key, hidden),
        "self_attn.v_proj.weight": (key, hidden),
        "self_attn.o_proj.weight": (hidden, query),
        "mlp.gate_proj.weight": (ffn, hidden),
        "mlp.up_proj.weight": (ffn, hidden),
        "mlp.down_proj.weight": (hidden, ffn),
        "input_layernorm.weight": (hidden,),
        "post_attention_layernorm.weight": (hidden,),
    }
    if family == "phi3":
        for part in ("q", "k", "v"):
            del shapes[f"self_attn.{part}_proj.weight"]
        del shapes["mlp.gate_proj.weight"], shapes["mlp.up_proj.weight"]
        shapes["self_attn.qkv_proj.weight"] = (query + 2 * key, hidden)
        shapes["mlp.gate_up_proj.weight"] = (2 * ffn, hidden)
    if family == "qwen2" or config.get("attention_bias"):
        shapes |= {f"self_attn.{p}_proj.bias": (n,) for p, n in (("q", query), ("k", key), ("v", key))}
    if config.get("attention_bias"):
        shapes["self_attn.o_proj.bias"] = (hidden,)
    if family in ("qwen3", "gemma3_text"):
        shapes |= {f"self_attn.{p}_norm.weight": (size,) for p in "qk"}
    if family.startswith("gemma"):
        shapes |= {f"{p}_feedforward_layernorm.weight": (hidden,) for p in ("pre", "post")}
    return {prefix + name: shape for name, shape in shapes.items()}


def _values(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    random = np.random.default_rng([seed, zlib.crc32(name.encode())])
    spread = 0.3 if "norm" in name else 0.2
    middle = 1.0 if "norm" in name else 0.0
    return (middle + spread * random.standard_normal(shape)).astype(np.float32)


def write_folder(folder, name: str, seed: int = 0, shards: int = 1) -> None:
    """A folder as the hub has it: config.json and safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config_json(name)))
    tensors = state(name, seed)
    names = sorted(tensors)
    for shard in range(shards):
        file = "model.safetensors" if shards == 1 else f"model-{shard:05d}.safetensors"
        write_safetensors(folder / file, {key: tensors[key] for key in names[shard::shards]})
    if shards > 1:
        places = {key: f"model-{i % shards:05d}.safetensors" for i, key in enumerate(names)}
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))


def write_safetensors(path, tensors: dict[str, np.ndarray]) -> None:
    """The format in ten lines, so that tests need no library for it."""
    header, at = {}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        for array in tensors.values():
            stream.write(array.tobytes())
