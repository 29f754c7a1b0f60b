"""How fast a model is here: load, prompt, first token, decoding, memory."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from runtime.settings import Settings

if TYPE_CHECKING:
    from runtime.generator import Generator


@dataclass(frozen=True, slots=True)
class Speed:
    """Medians over the runs; memory is the process's peak in bytes."""

    form: str
    prompt: int
    new: int
    runs: int
    load_seconds: float
    first_token_seconds: float
    prefill_rate: float
    decode_rate: float
    memory: int

    def __str__(self) -> str:
        return (
            f"{self.form}: prompt of {self.prompt} at {self.prefill_rate:.0f} tokens/s, first token after "
            f"{self.first_token_seconds:.3f} s, {self.new} tokens at {self.decode_rate:.1f}/s, load "
            f"{self.load_seconds:.2f} s, peak {self.memory / 1e6:.0f} MB (medians of {self.runs})"
        )


def peak_memory() -> int:
    """Peak resident memory of this process in bytes; 0 where the platform does not say."""
    if sys.platform == "linux":  # ru_maxrss would be the parent's, where that was larger when it forked
        with open("/proc/self/status", encoding="ascii", errors="replace") as stream:
            for line in stream:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def run_once(generator: Generator, prompt: int, new: int, seed: int) -> tuple[float, float, float]:
    """Answer a random prompt; return seconds to the first token, prompt and decoding rates."""
    size = generator.driver.vocab_size or 1000
    ids = np.random.default_rng(seed).integers(0, size, prompt).tolist()
    stream = generator.stream(ids, Settings(max_new_tokens=new, stop_ids=()))
    for _ in stream.tokens():
        pass
    return stream.stats.first_token_seconds, stream.stats.prefill_rate, stream.stats.decode_rate


def measure(generator: Generator, prompt: int = 256, new: int = 64, repeat: int = 5) -> Speed:
    """Run after one warm-up; every run has another prompt, so nothing is reused."""
    run_once(generator, min(prompt, 8), 4, 0)
    runs = [run_once(generator, prompt, new, seed) for seed in range(1, repeat + 1)]
    first, prefill, decode = (median(values) for values in zip(*runs, strict=True))
    return Speed(
        generator.driver.form, prompt, new, repeat, generator.load_seconds, first, prefill, decode, peak_memory()
    )
