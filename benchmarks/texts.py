"""Texts to measure on: real ones from ``../shared/corpora`` when they are there, else made on the spot."""

from __future__ import annotations

import base64
import os
import random
from pathlib import Path

from tokenizers_lite.bench import builtin_text, documents

SHARED = Path(os.environ.get("TOKENIZERS_LITE_SHARED") or Path(__file__).resolve().parents[2] / "shared")
_FILES = {"en": "en_handbook_guide.txt", "zh": "zh_fortunes_poems.txt", "code": "code_python_js_html.txt"}
CORPORA = ("en", "zh", "code", "mixed")


def corpora() -> tuple[dict[str, list[str]], str]:
    """Return corpus -> documents of some 8 KB, and where they come from."""
    folder = SHARED / "corpora"
    if not all((folder / name).is_file() for name in _FILES.values()):
        return _made(), "made-up texts"
    found = {}
    for corpus, name in _FILES.items():
        text = (folder / name).read_text("utf-8")
        found[corpus] = _shuffled(documents(text, 8000 if corpus != "zh" else 2700))
    found["mixed"] = [part for row in zip(*found.values(), strict=False) for part in row]
    return found, "real texts"


def _made() -> dict[str, list[str]]:
    """Return texts for machines without the corpora."""
    rng = random.Random(5)  # noqa: S311
    chinese = "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就"
    zh = "".join(rng.choice(chinese) + rng.choice(("", "", "", "", "", "，", "。\n")) for _ in range(600_000))
    code = "\n".join(
        path.read_text("utf-8") for path in sorted(Path(__file__).resolve().parents[1].glob("tokenizers_lite/**/*.py"))
    )
    mixed = builtin_text(2_000_000)
    latin = "".join(char if char.isascii() else " " for char in mixed)
    found = {"en": documents(latin), "zh": documents(zh, 2700), "code": documents(code), "mixed": documents(mixed)}
    return {name: _shuffled(parts) for name, parts in found.items()}


def _shuffled(parts: list[str]) -> list[str]:
    """Return the documents in an order that mixes the subjects of a corpus, the same each time."""
    random.Random(3).shuffle(parts)  # noqa: S311
    return parts


def batches(parts: list[str], size: int, count: int) -> list[list[str]]:
    """Return `count` batches of about `size` bytes that share no document; fewer if the corpus is too small."""
    found: list[list[str]] = []
    batch: list[str] = []
    held = 0
    for part in parts:
        batch.append(part)
        held += len(part.encode())
        if held >= size:
            found.append(batch)
            batch, held = [], 0
            if len(found) == count:
                break
    return found or [batch]


def pathological(size: int) -> dict[str, str]:
    """Return texts of `size` characters that make tokenizers slow."""
    rng = random.Random(7)  # noqa: S311
    return {
        "one letter": "a" * size,
        "spaces": " " * size,
        "newlines": "\n" * size,
        "random CJK": "".join(map(chr, rng.choices(range(0x4E00, 0x9FA6), k=size))),
        "base64": base64.b64encode(rng.randbytes(size))[:size].decode(),
        "emoji": "👩\u200d👩\u200d👧" * (size // 5),
    }
