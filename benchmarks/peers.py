"""The models of the benchmarks and the tokenizers that take part (`tokenizers_lite.peers`)."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from benchmarks.texts import SHARED
from tokenizers_lite import load
from tokenizers_lite.peers import Engine, find, ours, tokenizer_json

__all__ = ["Engine", "compact", "engines", "find", "ours", "sources", "tokenizer_json"]

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def compact(source: str, scratch: Path) -> str:
    """Return what `load` takes to have the model from a compact file, as users of a bundled or cached model have it."""
    if not Path(source).is_dir():
        return source
    path = scratch / f"{Path(source).name}.tokc"
    if not path.exists():
        load(source).save(str(path))
    return str(path)


@lru_cache(maxsize=1)
def engines(name: str, scratch: Path, only: str = "") -> list[Engine]:
    """Return this project's tokenizer of a model and the peers that can read it (those of `only`, if given)."""
    source = sources([name])[name]
    model = compact(source, scratch)
    others = find(load(model), source, scratch)
    wanted = only.split(",") if only else [engine.name for engine in others]
    return [ours(model), *(engine for engine in others if engine.name in wanted)]


def sources(names: list[str]) -> dict[str, str]:
    """Return name -> what `load` takes: the folder with the model's own files if it is here, else the name."""
    folders = {path.name: str(path) for path in (SHARED / "vocab").iterdir()} if (SHARED / "vocab").is_dir() else {}
    same = {"phi3.5": "phi-3.5-mini-instruct", "bge-small-en": "bge-small-en-v1.5"}
    return {name: folders.get(same.get(name, name), name) for name in names}
