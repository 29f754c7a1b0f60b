"""What smaller weights cost: perplexity, KL divergence and top-1 agreement on a text."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from runtime.bench import measure
from runtime.errors import PromptError
from runtime.model import load
from runtime.session import SessionOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from runtime.forms.base import Driver

    Floats = NDArray[np.float32]

WINDOW = 512


@dataclass(frozen=True, slots=True)
class Comparison:
    """A graph beside its reference, over the same tokens."""

    tokens: int
    perplexity: float
    reference_perplexity: float
    divergence: float  # mean KL(reference || graph), nats
    agreement: float  # share of positions with the same most likely token
    bytes: int
    reference_bytes: int
    speed: float = 0.0  # tokens per second when decoding; 0 is not measured
    reference_speed: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.tokens} tokens: perplexity {self.perplexity:.2f} (reference {self.reference_perplexity:.2f}), "
            f"KL {self.divergence:.5f}, top-1 {100 * self.agreement:.1f} %, "
            f"{self.bytes / 1e6:.0f} MB (reference {self.reference_bytes / 1e6:.0f})"
            + (f", decoding {self.speed:.1f} tokens/s (reference {self.reference_speed:.1f})" if self.speed else "")
        )


def log_softmax(logits: Floats) -> Floats:
    """Logarithms of probabilities along the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    result: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def compare(reference: str, graph: str, text: str, tokens: int = 2048, threads: int = 0) -> Comparison:
    """Run both graphs over the start of a text file, then let both generate to see how fast they are.

    Args:
        reference: folder or graph to compare with, usually float32; its tokenizer is used.
        graph: folder or graph to judge.
        text: path of a text file.
        tokens: how many tokens to use.
        threads: threads per graph.

    Raises:
        UnsupportedError: a graph gives logits of the last position only; export with ``logits="keep"``.
    """
    check_text(text, tokens)
    options = SessionOptions(threads=threads)
    first, second = load(reference, options=options), load(graph, tokenizer=False, options=options)
    with open(text, encoding="utf-8") as stream:
        ids = first.encode(stream.read(tokens * 20))[:tokens]
    sizes = [sum(os.path.getsize(file) for file in _files(place)) for place in (graph, reference)]
    quality = compare_drivers(first.driver, second.driver, ids, sizes=(sizes[0], sizes[1]))
    rates = [measure(model, prompt=16, new=32, repeat=3).decode_rate for model in (second, first)]
    return replace(quality, speed=rates[0], reference_speed=rates[1])


def check_text(path: str, tokens: int) -> None:
    """Refuse what a comparison could not use, before hours of work.

    Raises:
        PromptError: no such file, or fewer than two tokens.
    """
    if not os.path.isfile(path):
        raise PromptError(f"{path}: no such text file to compare on")
    if tokens < 2:
        raise PromptError(f"at least two tokens are needed to predict one (got {tokens})")


def _files(place: str) -> list[str]:
    """Graph files of a folder, or of one graph."""
    folder, start = (place, "") if os.path.isdir(place) else os.path.split(place)
    names = os.listdir(folder or ".")
    return [os.path.join(folder, name) for name in names if ".onnx" in name and name.startswith(start)]


def compare_drivers(
    reference: Driver, driver: Driver, ids: Sequence[int], *, window: int = WINDOW, sizes: tuple[int, int] = (0, 0)
) -> Comparison:
    """Compare two drivers over ids, in windows that each start with an empty cache.

    Raises:
        PromptError: fewer than two ids.
    """
    if len(ids) < 2:
        raise PromptError("at least two tokens are needed to predict one")
    sums = np.zeros(4)
    count = 0
    for start in range(0, len(ids) - 1, window):
        piece = list(ids[start : start + window + 1])
        if len(piece) < 2:
            break
        logs = []
        for each in (reference, driver):
            each.rewind(0)
            logs.append(log_softmax(np.asarray(each.all_logits(piece[:-1]), dtype=np.float32)))
        places = (np.arange(len(piece) - 1), np.array(piece[1:]))
        sums += [
            -logs[1][places].sum(dtype=np.float64),
            -logs[0][places].sum(dtype=np.float64),
            (np.exp(logs[0]) * (logs[0] - logs[1])).sum(dtype=np.float64),
            (logs[0].argmax(axis=-1) == logs[1].argmax(axis=-1)).sum(),
        ]
        count += len(piece) - 1
    loss, reference_loss, divergence, agreement = sums / count
    return Comparison(
        count, float(np.exp(loss)), float(np.exp(reference_loss)), float(divergence), float(agreement), *sizes
    )
