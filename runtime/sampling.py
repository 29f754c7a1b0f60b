"""Logits and settings in, the next id out. Plain numpy, seeded, a fraction of a millisecond."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from runtime.errors import PromptError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


_DRAWING = {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "seed": None}  # what matters only when drawing


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to choose the next token.

    The steps apply in the order of transformers: bias and allowed ids, penalties, temperature,
    top-k, top-p, min-p. The default is greedy.

    Args:
        temperature: 0 takes the most likely token; otherwise logits are divided by it.
        top_k: keep the k most likely; 0 keeps all.
        top_p: keep the fewest tokens whose probabilities reach p.
        min_p: keep tokens at least p times as likely as the most likely.
        repetition_penalty: divides positive and multiplies negative logits of tokens seen (prompt included).
        presence_penalty: subtracted once from tokens generated so far.
        frequency_penalty: subtracted per occurrence among the tokens generated so far.
        seed: makes the choice repeatable; None draws fresh randomness.
        logit_bias: added to the logits of single ids.
        allowed: called with the ids generated so far; returns the ids that may follow, or None for all.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    seed: int | None = None
    logit_bias: Mapping[int, float] | None = None
    allowed: Callable[[Sequence[int]], Iterable[int] | None] | None = None

    def __post_init__(self) -> None:
        """Refuse values outside their range, with the range."""
        bounds = {
            "temperature": (0.0, math.inf),
            "top_k": (0, math.inf),
            "top_p": (0.0, 1.0),
            "min_p": (0.0, 1.0),
            "repetition_penalty": (1e-6, math.inf),
            "presence_penalty": (-math.inf, math.inf),
            "frequency_penalty": (-math.inf, math.inf),
        }
        for name, (low, high) in bounds.items():
            value: Any = getattr(self, name)
            if not isinstance(value, Real) or not (low <= float(value) <= high) or not math.isfinite(value):
                raise PromptError(f"{name} must be between {low} and {high} (got {value!r})")
        for name in ("top_k", "seed"):
            value = getattr(self, name)
            if not (isinstance(value, Integral) and int(value) >= 0) and not (name == "seed" and value is None):
                raise PromptError(f"{name} must be a whole number, not negative (got {value!r})")
        for token, bias in (self.logit_bias or {}).items():
            if not isinstance(token, Integral) or not isinstance(bias, Real) or not bias < math.inf:
                raise PromptError(f"logit_bias must map ids to numbers below infinity (got {token!r}: {bias!r})")
        if self.allowed is not None and not callable(self.allowed):
            raise PromptError("allowed must be a function from the ids so far to the ids that may follow, or None")

    @property
    def is_greedy(self) -> bool:
        """Whether the most likely token is taken."""
        return self.temperature == 0 or self.top_k == 1

    @property
    def asked(self) -> list[str]:
        """Names of the settings that make the choice another than that of the most likely token."""
        penalties = ("repetition_penalty", "presence_penalty", "frequency_penalty")
        asked = [name for name in penalties if getattr(self, name) != (1 if name == penalties[0] else 0)]
        asked += [name for name in ("logit_bias", "allowed") if getattr(self, name)]
        if not self.is_greedy:
            asked.append("temperature")
            asked += [name for name, default in _DRAWING.items() if getattr(self, name) != default]
        return asked

    @property
    def changes_logits(self) -> bool:
        """Whether anything but the arg-max of the raw logits can be chosen by a greedy run."""
        penalties = self.repetition_penalty != 1 or self.presence_penalty != 0 or self.frequency_penalty != 0
        return penalties or bool(self.logit_bias) or self.allowed is not None


class Sampler:
    """Chooses tokens for one sequence and remembers what it has seen."""

    def __init__(self, settings: Sampling, prompt: Sequence[int] = ()) -> None:
        self.settings = settings
        self._random = np.random.default_rng(settings.seed)
        self._prompt = np.unique(np.array(prompt, dtype=np.int64))
        self.generated: list[int] = []

    def __call__(self, logits: Floats) -> int:
        """Choose an id from ``logits`` ([vocab], not changed)."""
        settings = self.settings
        if settings.changes_logits:
            logits = self._adjusted(logits)
        if settings.is_greedy:
            chosen = int(logits.argmax())
        else:
            ids, weights = candidates(logits, settings)
            chosen = int(ids[np.searchsorted(np.cumsum(weights), self._random.random() * weights.sum(), side="right")])
        self.generated.append(chosen)
        return chosen

    def _adjusted(self, logits: Floats) -> Floats:
        """Apply bias, allowed ids and penalties to a copy."""
        settings, out = self.settings, np.array(logits, dtype=np.float32)
        for token, bias in (settings.logit_bias or {}).items():
            if not 0 <= token < len(out):
                raise PromptError(f"logit_bias names the id {token}, outside the vocabulary of {len(out)}")
            out[token] += np.float32(bias)
        if self.generated or len(self._prompt):
            self._penalize(out)
        allowed = settings.allowed(self.generated) if settings.allowed is not None else None
        if allowed is not None:
            keep = np.fromiter(allowed, dtype=np.int64)
            if not len(keep) or keep.min() < 0 or keep.max() >= len(out):
                raise PromptError("`allowed` must return at least one id, all inside the vocabulary")
            kept = out[keep]
            out[:] = -np.inf
            out[keep] = kept
        if out.max() == -np.inf:
            raise PromptError("`logit_bias` and `allowed` together leave no token that may follow")
        return out

    def _penalize(self, out: Floats) -> None:
        settings = self.settings
        ids, counts = np.unique(np.array(self.generated, dtype=np.int64), return_counts=True)
        if settings.repetition_penalty != 1:
            seen = np.union1d(ids, self._prompt)
            factor = np.float32(settings.repetition_penalty)
            out[seen] = np.where(out[seen] > 0, out[seen] / factor, out[seen] * factor)
        if len(ids):
            out[ids] -= np.float32(settings.presence_penalty)
            out[ids] -= counts.astype(np.float32) * np.float32(settings.frequency_penalty)


def candidates(logits: Floats, settings: Sampling) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the ids that may be drawn, most likely first, and their weights.

    Never sorts the vocabulary: top-k is a partition, and for top-p the tokens that cannot belong
    to the nucleus (together they weigh less than 1 - p) are dropped before sorting.
    """
    ids = np.arange(len(logits))
    if 0 < settings.top_k < len(logits):
        ids = np.argpartition(logits, -settings.top_k)[-settings.top_k :]
    scaled = logits[ids].astype(np.float64) / settings.temperature
    weights = np.exp(scaled - scaled.max())
    weights /= weights.sum()
    if settings.top_p < 1:
        possible = np.flatnonzero(weights >= (1 - settings.top_p) / len(weights))
        order = possible[np.argsort(-weights[possible], kind="stable")]
        before = np.cumsum(weights[order]) - weights[order]
        chosen = order[: max(1, int(np.searchsorted(before, settings.top_p, side="left")))]
        ids, weights = ids[chosen], weights[chosen]
    if settings.min_p > 0:
        strong = weights >= settings.min_p * weights.max()
        ids, weights = ids[strong], weights[strong]
    return ids, weights
