"""What a decoder is made of: one `ModelConfig`, whichever file it is read from.

Families differ in a handful of numbers and switches, so there is one description and one graph
builder, and no class per model. Names of fields follow the mathematics, not a library.
`runtime.config_hf` reads config.json, `runtime.config_gguf` the metadata of GGUF files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runtime.rope import Rope

FAMILIES = ("llama", "qwen2", "qwen3", "gemma2", "gemma3", "phi3", "minicpm", "granite")


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
    found = () if value is None else tuple(value) if isinstance(value, list) else (value,)
    if not all(type(token) is int and token >= 0 for token in found):
        raise ModelFileError("token ids must be integers, not negative", value=value)
    return found


# More would take hours or all memory before a missing tensor is noticed.
_LARGEST = {"num_hidden_layers": 10_000, "block_count": 10_000, "head_dim": 1 << 16, "attention.key_length": 1 << 16}


class Fields:
    """Typed access to a mapping, with errors that name file and field."""

    def __init__(self, values: Mapping[str, Any], file: str, prefix: str = "") -> None:
        self.values = values
        self.file = file
        self.prefix = prefix

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value; an explicit null counts as missing."""
        value = self.values.get(self.prefix + name)
        return default if value is None else value

    def number(self, name: str, default: float | None = None) -> float:
        """Return a finite number."""
        value = self.get(name, default)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
            raise ModelFileError("a number is needed", file=self.file, field=self.prefix + name, value=value)
        return value

    def count(self, name: str, default: int | None = None) -> int:
        """Return a positive integer that a model can have."""
        value = self.number(name, default)
        largest = _LARGEST.get(name, 1 << 31)
        if value != int(value) or not 1 <= value <= largest:
            raise ModelFileError(
                f"an integer between 1 and {largest} is needed", file=self.file, field=self.prefix + name, value=value
            )
        return int(value)


def family_switches(family: str, activation: str) -> dict[str, Any]:
    """Return what a family has that its files do not say."""
    return {
        "activation": activation,
        "qk_norm": family in ("qwen3", "gemma3"),
        "post_norms": family in ("gemma2", "gemma3"),
    }
