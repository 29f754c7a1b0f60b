"""Sizes at which the code under test takes another way, found in the code itself.

A fast path begins at a length that stands in a constant of its module. Texts
are made around each of them, and a new constant is met without being listed.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

PACKAGES = ("tokenizers_lite",)
LEAST, MOST = 16, 200_000
# Sizes that stand in no constant: the oracle's own, powers of two, and what a fast path had before.
ALWAYS = (64, 127, 128, 129, 160, 256, 1024, 4096, 30_000, 150_000)


@lru_cache(maxsize=1)
def sizes() -> tuple[int, ...]:
    """Return the sizes to make texts around, smallest first.

    Every integer constant of the core that could be a length counts. What is none costs a few texts.
    """
    found = set(ALWAYS)
    for package in PACKAGES:
        root = importlib.import_module(package)
        for module in pkgutil.walk_packages(root.__path__, f"{package}."):
            if _is_hot(module.name):
                found.update(_constants(module.name))
    return tuple(sorted(found))


def _is_hot(name: str) -> bool:
    parts = name.split(".")[1:]
    hot = ("pipeline", "bulk", "models", "pre_tokenizers", "normalizers", "normalized", "added")
    hot += ("tokenizer", "components", "marked", "alignment", "decoding")
    return parts[0].lstrip("_") in hot


def _constants(name: str) -> set[int]:
    values = vars(importlib.import_module(name)).items()
    return {
        value
        for key, value in values
        if key.isupper() and isinstance(value, int) and not isinstance(value, bool) and LEAST <= value <= MOST
    }
