"""Rotary embeddings: configuration -> frequencies and, for graphs that want them, tables.

Formulas are those of transformers 4.57 ``modeling_rope_utils.py``, computed in float32 in the
same order, so that tables agree with torch to the last bit or two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from runtime.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Rope:
    """Frequencies of one rotary embedding.

    Args:
        frequencies: [rotary dim / 2] radians per position.
        long: frequencies used once a sequence is longer than `switch` (Phi 3.5's long rope).
        switch: the length at which `long` takes over.
        gain: factor of cosine and sine.
    """

    frequencies: Floats
    long: Floats | None = None
    switch: int = 0
    gain: float = 1.0

    @property
    def dim(self) -> int:
        """How many of the head's dimensions are rotated."""
        return 2 * len(self.frequencies)

    def table(self, length: int) -> tuple[Floats, Floats]:
        """Cosine and sine, [length, dim/2] each; with `long`, [2*length, dim/2]: short then long."""
        positions = np.arange(length, dtype=np.float32)[:, None]
        parts = [self.frequencies] if self.long is None else [self.frequencies, self.long]
        angles = np.concatenate([positions * part[None, :] for part in parts])
        gain = np.float32(self.gain)
        return np.cos(angles) * gain, np.sin(angles) * gain


def _base(theta: float, dim: int) -> Floats:
    exponents = np.arange(0, dim, 2, dtype=np.float32) / np.float32(dim)
    powers: Floats = np.power(np.float32(theta), exponents, dtype=np.float32)
    inverse: Floats = np.float32(1) / powers
    return inverse


def _llama3(inverse: Floats, scaling: Mapping[str, Any]) -> Floats:
    """Divide low frequencies, keep high ones, blend between (transformers _compute_llama3_parameters)."""
    factor, low, high = scaling["factor"], scaling["low_freq_factor"], scaling["high_freq_factor"]
    original = scaling["original_max_position_embeddings"]
    length = np.float32(2 * math.pi) / inverse
    divided = np.where(length > original / low, inverse / np.float32(factor), inverse)
    smooth = (np.float32(original) / length - np.float32(low)) / np.float32(high - low)
    blended = (1 - smooth) * divided / np.float32(factor) + smooth * divided
    medium = (length >= original / high) & (length <= original / low)
    return np.where(medium, blended, divided).astype(np.float32)


def _long_gain(factor: float, original: int) -> float:
    return 1.0 if factor <= 1 else math.sqrt(1 + math.log(factor) / math.log(original))


def from_hf(values: Mapping[str, Any], head_dim: int, file: str) -> tuple[Rope, Rope | None]:
    """Read ``rope_theta``, ``rope_scaling`` and what goes with them.

    Returns:
        The embedding of full layers, and that of windowed layers where it differs.

    Raises:
        ModelFileError: a scaling that is not supported, or a number is missing or out of range.
    """
    values = _in_older_words(values)
    try:
        with np.errstate(divide="raise", invalid="raise", over="raise"):
            return _from_hf(values, head_dim, file)
    except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
        found = {name: value for name, value in values.items() if "rope" in name or "rotary" in name}
        raise ModelFileError(
            f"not a rotary embedding ({error})", file=file, field="rope_scaling", value=found
        ) from error


def _in_older_words(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what transformers 5 writes as ``rope_parameters`` the names it had before."""
    parameters = values.get("rope_parameters")
    if not isinstance(parameters, dict):
        return values
    full = parameters.get("full_attention", parameters)
    found = {"rope_theta": full.get("rope_theta"), "partial_rotary_factor": full.get("partial_rotary_factor")}
    found["rope_local_base_freq"] = parameters.get("sliding_attention", {}).get("rope_theta")
    if full.get("rope_type", "default") != "default":
        found["rope_scaling"] = full
    return {**values, **{name: value for name, value in found.items() if value is not None}}


def _from_hf(values: Mapping[str, Any], head_dim: int, file: str) -> tuple[Rope, Rope | None]:
    share = values.get("partial_rotary_factor") or 1.0
    if not 0 < share <= 1:
        raise ValueError(f"partial_rotary_factor {share}")
    dim = int(head_dim * share)
    gemma3 = values.get("model_type") in ("gemma3", "gemma3_text")
    theta = values.get("rope_theta") or (1_000_000.0 if gemma3 else 10_000.0)
    local = Rope(_base(values.get("rope_local_base_freq") or 10_000.0, dim)) if gemma3 else None
    scaling = values.get("rope_scaling") or {}
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    try:
        return _hf_scaled(kind, scaling, values, _base(theta, dim)), local
    except KeyError as error:
        message = f"rope_scaling of type {kind!r} is not supported, or a number is missing"
        raise ModelFileError(message, file=file, field=f"rope_scaling.{error.args[0]}", value=scaling) from error


def _hf_scaled(kind: str, scaling: Mapping[str, Any], values: Mapping[str, Any], inverse: Floats) -> Rope:
    if kind == "default":
        return Rope(inverse)
    if kind == "linear":
        return Rope(inverse / np.float32(scaling["factor"]))
    if kind == "llama3":
        return Rope(_llama3(inverse, scaling))
    if kind not in ("longrope", "su"):
        raise KeyError("rope_type")
    longest = values["max_position_embeddings"]
    original = values.get("original_max_position_embeddings") or scaling.get("original_max_position_embeddings")
    factor = longest / original if original else scaling["factor"]
    switch = int(original or longest)
    short: Floats = np.divide(inverse, np.asarray(scaling["short_factor"], dtype=np.float32))
    long: Floats = np.divide(inverse, np.asarray(scaling["long_factor"], dtype=np.float32))
    return Rope(short, long, switch, scaling.get("attention_factor") or _long_gain(factor, switch))


def from_gguf(
    metadata: Mapping[str, Any], tensors: Mapping[str, Any], family: str, head_dim: int, file: str
) -> tuple[Rope, Rope | None]:
    """Read ``<family>.rope.*`` and the factor tensors; the same results as `from_hf`."""
    dim = metadata.get(f"{family}.rope.dimension_count", head_dim)
    gemma3 = family == "gemma3"
    inverse = _base(metadata.get(f"{family}.rope.freq_base", 1e6 if gemma3 else 1e4), dim)
    local = Rope(_base(metadata.get(f"{family}.rope.freq_base_swa", 1e4), dim)) if gemma3 else None
    if "rope_factors_long.weight" in tensors:
        return _gguf_long(metadata, tensors, family, inverse), local
    if "rope_freqs.weight" in tensors:
        return Rope(inverse / tensors["rope_freqs.weight"].float32()), local
    kind = metadata.get(f"{family}.rope.scaling.type", "none")
    if kind == "linear":
        return Rope(inverse / np.float32(metadata.get(f"{family}.rope.scaling.factor", 1.0))), local
    if kind not in ("none", "longrope"):
        message = "only the scalings none, linear, llama3 (rope_freqs) and longrope are supported"
        raise ModelFileError(message, file=file, field=f"{family}.rope.scaling.type", value=kind)
    return Rope(inverse), local


def _gguf_long(metadata: Mapping[str, Any], tensors: Mapping[str, Any], family: str, inverse: Floats) -> Rope:
    longest = int(metadata[f"{family}.context_length"])
    original = int(metadata.get(f"{family}.rope.scaling.original_context_length", longest))
    gain = metadata.get(f"{family}.rope.scaling.attn_factor") or _long_gain(longest / original, original)
    short, long = (inverse / tensors[f"rope_factors_{name}.weight"].float32() for name in ("short", "long"))
    return Rope(short, long, original, float(gain))
