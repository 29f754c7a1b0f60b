"""A decoder in plain numpy, without a cache: the slow and obvious version of every graph."""

from __future__ import annotations

import numpy as np


def forward(weights, ids, cache: str = "") -> np.ndarray:
    """Logits of every position, [tokens, vocab]; `cache` rounds keys and values to `half` or `int8`."""
    config = weights.config
    x = weights["embed"].float32()[ids] * np.float32(config.embedding_scale)
    for layer in range(config.layers):
        name = f"layers.{layer}."
        h = _norm(x, weights.norm(name + "attn_norm"), config.epsilon)
        h = _attention(weights, layer, h, cache) @ weights[name + "o"].float32().T + _bias(weights, name + "o_bias")
        if config.post_norms:
            h = _norm(h, weights.norm(name + "post_attn_norm"), config.epsilon)
        x = x + h * np.float32(config.residual_scale)
        h = _norm(x, weights.norm(name + "ffn_norm"), config.epsilon)
        gate, up = (h @ weights[name + part].float32().T for part in ("gate", "up"))
        h = (_activate(gate, config.activation) * up) @ weights[name + "down"].float32().T
        if config.post_norms:
            h = _norm(h, weights.norm(name + "post_ffn_norm"), config.epsilon)
        x = x + h * np.float32(config.residual_scale)
    logits = (
        _norm(x, weights.norm("norm"), config.epsilon) @ weights.head().float32().T * np.float32(config.logit_scale)
    )
    return np.tanh(logits / config.logit_cap) * config.logit_cap if config.logit_cap else logits


def greedy(weights, prompt, count: int, cache: str = "") -> list[int]:
    """The `count` most likely next tokens, one after the other."""
    ids = list(prompt)
    for _ in range(count):
        ids.append(int(forward(weights, ids, cache)[-1].argmax()))
    return ids[len(prompt) :]


def _norm(x, weight, epsilon):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + np.float32(epsilon)) * weight


def _bias(weights, name):
    tensor = weights.get(name)
    return 0 if tensor is None else tensor.float32()


def _activate(x, kind):
    if kind == "silu":
        return x / (1 + np.exp(-x))
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def _heads(weights, layer, h, part, count):
    config, name = weights.config, f"layers.{layer}.{part}"
    y = (h @ weights[name].float32().T + _bias(weights, name + "_bias")).reshape(len(h), count, config.head_dim)
    if config.qk_norm and part != "v":
        y = _norm(y, weights.norm(name + "_norm"), config.epsilon)
    return y.swapaxes(0, 1)


def _rotate(x, rope, tokens):
    frequencies = rope.long if rope.long is not None and tokens > rope.switch else rope.frequencies
    angles = np.arange(tokens, dtype=np.float32)[:, None] * frequencies
    cosine, sine = (np.concatenate([f(angles)] * 2, axis=-1) * np.float32(rope.gain) for f in (np.cos, np.sin))
    part, rest = x[..., : rope.dim], x[..., rope.dim :]
    swapped = np.concatenate([-part[..., rope.dim // 2 :], part[..., : rope.dim // 2]], axis=-1)
    return np.concatenate([part * cosine + swapped * sine, rest], axis=-1)


def _rounded(x, cache):
    """What a cache of fewer bits remembers."""
    if cache == "half":
        return x.astype(np.float16).astype(np.float32)
    if cache == "int8":
        scale = (np.abs(x).max(axis=-1, keepdims=True) / np.float32(127)).astype(np.float16).astype(np.float32)
        return np.rint(x / scale) * scale
    return x


def _attention(weights, layer, h, cache):
    config, tokens = weights.config, len(h)
    rope = config.rope_of(layer)
    query = _rotate(_heads(weights, layer, h, "q", config.heads), rope, tokens)
    key = _rotate(_heads(weights, layer, h, "k", config.kv_heads), rope, tokens)
    value = _heads(weights, layer, h, "v", config.kv_heads)
    key, value = _rounded(key, cache), _rounded(value, cache)
    repeats = config.heads // config.kv_heads
    scores = query @ np.repeat(key, repeats, axis=0).swapaxes(1, 2) * np.float32(config.scale)
    if config.attention_cap:
        scores = np.tanh(scores / config.attention_cap) * config.attention_cap
    back = np.arange(tokens)[:, None] - np.arange(tokens)[None, :]
    window = config.window(layer)
    seen = (back >= 0) & (back < window) if window else back >= 0
    scores = np.where(seen, scores, -np.inf)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    scores /= scores.sum(axis=-1, keepdims=True)
    out = scores @ np.repeat(value, repeats, axis=0)
    return out.swapaxes(0, 1).reshape(tokens, -1).astype(np.float32)
