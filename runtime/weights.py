"""Weights of a model under one set of names, whatever file they come from.

Names: ``embed``, ``norm``, ``head``, and per layer ``layers.3.`` + one of ``attn_norm q k v o
q_bias k_bias v_bias o_bias q_norm k_norm post_attn_norm ffn_norm gate up down post_ffn_norm``.
Fused matrices (Phi 3) are cut into their parts by rows, and the row order that GGUF gives
llama's Q and K is undone; neither touches the values.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from runtime import config_gguf, config_hf, safetensors
from runtime.blocks import Tensor
from runtime.errors import ModelFileError
from runtime.gguf import GGUFFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from runtime.config import ModelConfig

_GGUF = {
    "attn_norm": "attn_norm.weight",
    "q": "attn_q.weight",
    "k": "attn_k.weight",
    "v": "attn_v.weight",
    "o": "attn_output.weight",
    "q_bias": "attn_q.bias",
    "k_bias": "attn_k.bias",
    "v_bias": "attn_v.bias",
    "o_bias": "attn_output.bias",
    "q_norm": "attn_q_norm.weight",
    "k_norm": "attn_k_norm.weight",
    "post_attn_norm": "post_attention_norm.weight",
    "ffn_norm": "ffn_norm.weight",
    "gate": "ffn_gate.weight",
    "up": "ffn_up.weight",
    "down": "ffn_down.weight",
    "post_ffn_norm": "post_ffw_norm.weight",
    "qkv": "attn_qkv.weight",
}
_HF = {
    "attn_norm": "input_layernorm.weight",
    "q": "self_attn.q_proj.weight",
    "k": "self_attn.k_proj.weight",
    "v": "self_attn.v_proj.weight",
    "o": "self_attn.o_proj.weight",
    "q_bias": "self_attn.q_proj.bias",
    "k_bias": "self_attn.k_proj.bias",
    "v_bias": "self_attn.v_proj.bias",
    "o_bias": "self_attn.o_proj.bias",
    "q_norm": "self_attn.q_norm.weight",
    "k_norm": "self_attn.k_norm.weight",
    "ffn_norm": "post_attention_layernorm.weight",
    "gate": "mlp.gate_proj.weight",
    "up": "mlp.up_proj.weight",
    "down": "mlp.down_proj.weight",
    "qkv": "self_attn.qkv_proj.weight",
    "gate_up": "mlp.gate_up_proj.weight",
}
_HF_POST_NORMS = {
    "post_attn_norm": "post_attention_layernorm.weight",
    "ffn_norm": "pre_feedforward_layernorm.weight",
    "post_ffn_norm": "post_feedforward_layernorm.weight",
}
_TOP_GGUF = {"embed": "token_embd.weight", "norm": "output_norm.weight", "head": "output.weight"}
_TOP_HF = {"embed": "model.embed_tokens.weight", "norm": "model.norm.weight", "head": "lm_head.weight"}


@dataclass(frozen=True, slots=True)
class Weights:
    """Tensors of one model by canonical name; see the module text.

    Args:
        config: what the model is made of.
        tensors: canonical name -> tensor.
        file: where the weights came from, for messages.
    """

    config: ModelConfig
    tensors: Mapping[str, Tensor]
    file: str

    def __getitem__(self, name: str) -> Tensor:
        try:
            return self.tensors[name]
        except KeyError:
            raise ModelFileError("the weights lack a tensor this model needs", file=self.file, field=name) from None

    def get(self, name: str) -> Tensor | None:
        """Return a tensor that not every model has."""
        return self.tensors.get(name)

    def norm(self, name: str) -> NDArray[np.float32]:
        """Return the factors of a normalisation, the family's offset added."""
        values: NDArray[np.float32] = self[name].float32() + np.float32(self.config.norm_offset)
        return values

    def bias(self, *names: str) -> NDArray[np.float32] | None:
        """Concatenate biases; None if the model has none."""
        present = [self.tensors[name].float32() for name in names if name in self.tensors]
        return np.concatenate(present) if len(present) == len(names) else None

    def times(self, factor: float, names: Iterable[str]) -> Weights:
        """Return the weights with the tensors named, as far as there are such, multiplied by a number."""
        scaled = {name: self.tensors[name].times(factor) for name in names if name in self.tensors}
        return replace(self, tensors={**self.tensors, **scaled})

    def head(self) -> Tensor:
        """Return the output matrix, which may be the embedding."""
        return self["embed"] if self.config.tied else self["head"]

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(tensor.rows * tensor.columns for tensor in self.tensors.values())


def open_weights(path: str | os.PathLike[str]) -> Weights:
    """Open a GGUF file, or a folder of safetensors with its config.json.

    Raises:
        ModelFileError: nothing readable is there, a family is not supported, or shapes do not fit.
    """
    place = os.fspath(path)
    if os.path.isdir(place):
        return _from_hf(config_hf.from_folder(place), safetensors.read_folder(place), place)
    if not os.path.exists(place):
        raise ModelFileError("no such file or folder", file=place)
    if place.endswith(".safetensors"):
        folder = os.path.dirname(place) or "."
        return _from_hf(config_hf.from_folder(folder), safetensors.read_file(place), place)
    return from_gguf(GGUFFile(place))


def from_gguf(file: GGUFFile) -> Weights:
    """Give the tensors of an opened GGUF file their canonical names."""
    config = config_gguf.from_gguf_metadata(file.metadata, file.tensors, file.path)
    if config.head_dim % 2:
        raise ModelFileError("heads of an odd size cannot be rotated", file=file.path, value=config.head_dim)
    found = _collect(file.tensors, config, _TOP_GGUF, _GGUF, "blk.")
    if config.family == "phi3":
        for layer in range(config.layers):
            found[f"layers.{layer}.gate_up"] = found.pop(f"layers.{layer}.up")
    if config.family in ("llama", "minicpm", "granite"):
        for layer in range(config.layers):
            _unpermute(found, f"layers.{layer}.", config)
    return _checked(config, _cut_fused(found, config), file.path)


def _from_hf(config: ModelConfig, tensors: Mapping[str, Tensor], file: str) -> Weights:
    names = {**_HF, **_HF_POST_NORMS} if config.post_norms else _HF
    top = _TOP_HF
    if not any(name in tensors for name in _TOP_HF.values()):
        top = {name: value.removeprefix("model.") for name, value in _TOP_HF.items()}
    prefix = "model.layers." if top is _TOP_HF else "layers."
    return _checked(config, _cut_fused(_collect(tensors, config, top, names, prefix), config), file)


def _collect(
    tensors: Mapping[str, Tensor], config: ModelConfig, top: dict[str, str], names: dict[str, str], prefix: str
) -> dict[str, Tensor]:
    found = {name: tensors[theirs] for name, theirs in top.items() if theirs in tensors}
    for layer in range(config.layers):
        for name, theirs in names.items():
            tensor = tensors.get(f"{prefix}{layer}.{theirs}")
            if tensor is not None:
                found[f"layers.{layer}.{name}"] = tensor
    return found


def _unpermute(found: dict[str, Tensor], prefix: str, config: ModelConfig) -> None:
    """Undo the row order of convert_hf_to_gguf.py's LlamaModel.permute (pairs side by side -> halves)."""
    for name, heads in (("q", config.heads), ("k", config.kv_heads)):
        matrix = found.get(prefix + name)
        if matrix is None or matrix.shape[0] != heads * config.head_dim:
            continue  # refused by the comparison of shapes that follows
        rows = np.arange(heads * config.head_dim).reshape(heads, config.head_dim // 2, 2)
        order = rows.swapaxes(1, 2).reshape(-1)
        for part in (name, name + "_bias"):
            tensor = found.get(prefix + part)
            if tensor is None or tensor.shape[0] != len(order):
                continue
            if part == name:
                found[prefix + part] = tensor.take(order)
            else:
                found[prefix + part] = Tensor.of(part, tensor.float32()[order])


def _cut_fused(found: dict[str, Tensor], config: ModelConfig) -> dict[str, Tensor]:
    """Replace qkv and gate_up matrices by views of their rows."""
    query, key = config.heads * config.head_dim, config.kv_heads * config.head_dim
    cuts = {
        "qkv": (("q", 0, query), ("k", query, query + key), ("v", query + key, query + 2 * key)),
        "gate_up": (("gate", 0, config.feed_forward), ("up", config.feed_forward, 2 * config.feed_forward)),
    }
    for layer in range(config.layers):
        for fused, parts in cuts.items():
            whole = found.pop(f"layers.{layer}.{fused}", None)
            for name, start, end in parts if whole is not None else ():
                assert whole is not None
                found[f"layers.{layer}.{name}"] = whole.take(slice(start, end))
    return found


def _checked(config: ModelConfig, found: dict[str, Tensor], file: str) -> Weights:
    """Compare every shape with the configuration before a graph is built of them."""
    query, key = config.heads * config.head_dim, config.kv_heads * config.head_dim
    shapes: dict[str, tuple[int, ...]] = {
        "q": (query, config.hidden),
        "k": (key, config.hidden),
        "v": (key, config.hidden),
        "o": (config.hidden, query),
        "gate": (config.feed_forward, config.hidden),
        "up": (config.feed_forward, config.hidden),
        "down": (config.hidden, config.feed_forward),
        "q_norm": (config.head_dim,),
        "k_norm": (config.head_dim,),
        "q_bias": (query,),
        "k_bias": (key,),
        "v_bias": (key,),
        "o_bias": (config.hidden,),
    }
    for name in ("attn_norm", "ffn_norm", "post_attn_norm", "post_ffn_norm"):
        shapes[name] = (config.hidden,)
    wanted = ["attn_norm", "q", "k", "v", "o", "ffn_norm", "gate", "up", "down"]
    wanted += ["q_norm", "k_norm"] * config.qk_norm + ["post_attn_norm", "post_ffn_norm"] * config.post_norms
    weights = Weights(config, found, file)
    for name in ["embed", "norm"] + ["head"] * (not config.tied):
        _check_shape(weights, name, (config.hidden,) if name == "norm" else (config.vocab_size, config.hidden))
    for layer in range(config.layers):
        for name in wanted:
            _ = weights[f"layers.{layer}.{name}"]
        for name, shape in shapes.items():
            if f"layers.{layer}.{name}" in found:
                _check_shape(weights, f"layers.{layer}.{name}", shape)
    return weights


def _check_shape(weights: Weights, name: str, shape: tuple[int, ...]) -> None:
    tensor = weights[name]
    if tensor.shape != shape:
        raise ModelFileError(
            f"{tensor.name} should have shape {shape}: weights and configuration do not belong together",
            file=weights.file,
            field=name,
            value=tensor.shape,
        )
