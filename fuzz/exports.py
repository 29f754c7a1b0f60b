"""Exports killed while they replace a model: the old or the new one must load, with its own tokenizer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import paths
from tests.runtime import tiny_models

if TYPE_CHECKING:
    import random

KILLS = 6
FAMILIES = ("llama", "llama-tied-scaled", "qwen2", "qwen3", "gemma3", "phi3")

_EXPORT = """
import os, shutil, signal, sys, time
from runtime.export import export
from runtime.graph.decoder import GraphOptions
from runtime.graph.linear import Precision
folder, options = sys.argv[1], [GraphOptions(form=form, logits=logits, precision=Precision(weights))
    for form, logits, weights in (entry.split() for entry in sys.argv[2:4])]
for number, seconds in enumerate(sys.argv[4:]):
    child = os.fork()
    if child == 0:
        for n in range(10**9):
            export(f"{folder}/{n % 2}", f"{folder}/target", options[n % 2])
    time.sleep(float(seconds))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    shutil.copytree(f"{folder}/target", f"{folder}/state{number}")
"""


def killed_export(rng: random.Random) -> str | None:
    """A process killed while it exports over a model leaves the old or the new one, and the next export works."""
    if not hasattr(os, "fork"):
        return None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kinds = [_kind(rng) for _ in range(2)]
        for number, kind in enumerate(kinds):
            _write_source(folder / str(number), rng)
            _export(folder / str(number), folder / f"whole{number}", kind)
        _export(folder / "0", folder / "target", kinds[0])
        expected = [answer(folder / f"whole{number}") for number in range(2)]
        waits = [f"{rng.random() * 0.2:.4f}" for _ in range(KILLS)]
        command = [sys.executable, "-c", _EXPORT, name, *kinds, *waits]
        done = subprocess.run(command, capture_output=True, cwd=paths.ROOT, check=False)
        if done.returncode:
            return f"the exporting process: {done.stderr.decode()[-300:]}"
        wrong = (_wrong(folder / f"state{number}", expected) for number in range(KILLS))
        return next(filter(None, wrong), None) or _wrong_after(folder, kinds[1], expected[1])


def _kind(rng: random.Random) -> str:
    return " ".join(
        (rng.choice(("plain", "fused")), rng.choice(("keep", "last", "all")), rng.choice(("float", "int8")))
    )


def _write_source(folder: Path, rng: random.Random) -> None:
    """A tiny model with a tokenizer that fits no other."""
    tiny_models.write_folder(folder, rng.choice(FAMILIES), rng.getrandbits(30))
    words = [f"w{number}" for number in range(tiny_models.VOCAB)]
    rng.shuffle(words)
    model = {"type": "WordLevel", "vocab": {word: number for number, word in enumerate(words)}, "unk_token": "w0"}
    (folder / "tokenizer.json").write_text(json.dumps({"model": model, "pre_tokenizer": {"type": "Whitespace"}}))


def _export(source: Path, target: Path, kind: str) -> None:
    from runtime.export import export
    from runtime.graph.decoder import GraphOptions
    from runtime.graph.linear import Precision

    form, logits, weights = kind.split()
    export(source, target, GraphOptions(form=form, logits=logits, precision=Precision(weights)))


def answer(folder: Path) -> Any:
    """Return what a model says, or the error."""
    from runtime.model import load
    from runtime.session import SessionOptions
    from runtime.settings import Settings

    try:
        model = load(folder, options=SessionOptions(threads=1))
        return model.generate_ids("w7 w30 w99 w2 w5", Settings(max_new_tokens=8, stop_ids=()))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _wrong(folder: Path, expected: list[Any]) -> str | None:
    found = answer(folder)
    return None if found in expected else f"a killed export left a model that says {found}, not one of {expected}"


def _wrong_after(folder: Path, kind: str, expected: Any) -> str | None:
    """Export once more over what was left."""
    target = folder / f"state{KILLS - 1}"
    _export(folder / "1", target, kind)
    left = list(target.glob(".export-*"))
    return f"an export after a killed one leaves {left}" if left else _wrong(target, [expected])
