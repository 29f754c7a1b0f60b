"""Encoding speed against Hugging Face `tokenizers`: same process, same documents, rounds in turn.

    python -m benchmarks.bulk --models qwen3,llama2 --corpora en,zh --what unseen,cold,seen,short,runs

CPU time (`time.process_time`) is measured, not wall time: it stays put on a
shared machine. Each round encodes documents that neither library has met;
figures are medians over rounds. Ids are compared as it goes.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import tokenizers

from tokenizers_lite.formats import read
from tokenizers_lite.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable

SHARED = Path(os.environ.get("TOKENIZERS_LITE_SHARED") or Path(__file__).resolve().parents[2] / "shared")
MODELS = ("qwen3", "llama-3.2-instruct", "llama2", "gemma-2", "gemma-3", "minicpm-2b")
FILES = {
    "en": ["en_handbook_guide.txt"],
    "zh": ["zh_fortunes_poems.txt"],
    "code": ["code_python_js_html.txt"],
    "mixed": [
        "en_handbook_guide.txt",
        "zh_fortunes_poems.txt",
        "code_python_js_html.txt",
        "ru.txt",
        "ja.txt",
        "hi.txt",
    ],
    "ja": ["ja.txt"],
    "ru": ["ru.txt"],
    "hi": ["hi.txt"],
    "emoji": ["emoji.txt"],
}
DOCUMENT = 8192  # bytes, about
SHORT = {
    "en 20": "How do I sort a list",
    "zh 20": "请问怎么用语言把列表里的数字排个序呢谢谢",
}


def documents(corpus: str, size: int = DOCUMENT, limit: int = 5_000_000) -> list[str]:
    """Cut a corpus into documents of about `size` bytes, at line ends, shuffled the same way each time."""
    found = []
    for name in FILES[corpus]:
        text = (SHARED / "corpora" / name).read_text("utf-8")
        share = limit // len(FILES[corpus])
        lines, filled, total = [], 0, 0
        for line in text.splitlines(keepends=True):
            lines.append(line)
            filled += len(line.encode())
            if filled >= size:
                found.append("".join(lines))
                total += filled
                lines, filled = [], 0
                if total >= share:
                    break
    random.Random(7).shuffle(found)  # noqa: S311
    return found


def load(model: str) -> tuple[tokenizers.Tokenizer, Tokenizer]:
    """Load a model's tokenizer.json with both libraries."""
    path = str(SHARED / "vocab" / model / "tokenizer.json")
    return tokenizers.Tokenizer.from_file(path), Tokenizer(read(path))


def seconds(encode: Callable[[str], object], texts: list[str]) -> float:
    """Return the CPU time of encoding texts."""
    gc.collect()
    start = time.process_time()
    for text in texts:
        encode(text)
    return time.process_time() - start


def check(hf: tokenizers.Tokenizer, ours: Tokenizer, texts: list[str]) -> None:
    """Compare the ids of some texts."""
    for text in texts:
        if hf.encode(text).ids != ours.encode(text):
            raise SystemExit(f"ids differ: {text[:80]!r}")


def in_rounds(hf: Callable[[str], object], ours: Callable[[str], object], chunks: list[list[str]]) -> dict[str, float]:
    """Encode each chunk with both; the one that goes first changes."""
    rows = []
    for at, chunk in enumerate(chunks):
        size = sum(len(text.encode()) for text in chunk) / 1e6
        if at % 2:
            mine, theirs = seconds(ours, chunk), seconds(hf, chunk)
        else:
            theirs, mine = seconds(hf, chunk), seconds(ours, chunk)
        rows.append((size / theirs, size / mine, theirs / mine))
    hf_speed, our_speed, ratio = (statistics.median(column) for column in zip(*rows, strict=True))
    return {"hf MB/s": hf_speed, "ours MB/s": our_speed, "ratio": ratio}


def unseen(model: str, corpus: str, rounds: int = 5) -> dict[str, float]:
    """Warm up on the first half of a corpus, then measure on the rest."""
    hf, ours = load(model)
    docs = documents(corpus)
    warm, rest = docs[: len(docs) // 2], docs[len(docs) // 2 :]
    for text in warm:
        hf.encode(text)
        ours.encode(text)
    result = in_rounds(hf.encode, ours.encode, [rest[at::rounds] for at in range(rounds)])
    check(hf, ours, rest[:20])
    return result


def cold(model: str, corpus: str, rounds: int = 3) -> dict[str, float]:
    """Measure the first 1.5 MB of new tokenizers, as a batch."""
    size, texts = 0, []
    for text in documents(corpus):
        texts.append(text)
        size += len(text.encode())
        if size > 1_500_000:
            break
    rows = []
    for _ in range(rounds):
        hf, ours = load(model)
        hf.encode("a b")
        ours.encode("a b")
        gc.collect()
        start = time.process_time()
        theirs = hf.encode_batch(texts)
        middle = time.process_time()
        mine = ours.encode_batch(texts)
        end = time.process_time()
        if any(a.ids != b for a, b in zip(theirs, mine, strict=True)):
            raise SystemExit("ids differ")
        rows.append((size / 1e6 / (middle - start), size / 1e6 / (end - middle), (middle - start) / (end - middle)))
    hf_speed, our_speed, ratio = (statistics.median(column) for column in zip(*rows, strict=True))
    return {"hf MB/s": hf_speed, "ours MB/s": our_speed, "ratio": ratio}


def seen(model: str, corpus: str, rounds: int = 3) -> dict[str, float]:
    """Measure documents that both have just encoded."""
    hf, ours = load(model)
    texts = documents(corpus)[:100]
    for text in texts:
        hf.encode(text)
        ours.encode(text)
    return in_rounds(hf.encode, ours.encode, [texts] * rounds)


def short(model: str, corpus: str) -> dict[str, float]:
    """Measure 20-character messages and 2 KB prompts: first sight after warming, and again. Microseconds."""
    hf, ours = load(model)
    docs = documents(corpus)
    for text in docs[: len(docs) // 2]:
        hf.encode(text)
        ours.encode(text)
    rest = docs[len(docs) // 2 :][:60]
    result = {}
    for label, texts in (
        ("20", [text[at : at + 20] for text in rest for at in range(0, 400, 20)]),
        ("2KB", [text.encode()[:2048].decode("utf-8", "ignore") for text in rest]),
    ):
        for sight in ("first", "again"):
            theirs, mine = seconds(hf.encode, texts), seconds(ours.encode, texts)
            result[f"{label} {sight} hf us"] = theirs / len(texts) * 1e6
            result[f"{label} {sight} us"] = mine / len(texts) * 1e6
            result[f"{label} {sight} ratio"] = theirs / mine
    return result


def run_texts(size: int) -> dict[str, str]:
    """Return long runs of `size` characters."""
    import base64

    rng = random.Random(1)  # noqa: S311 - the same texts each time
    return {
        "letter": "a" * size,
        "blanks": " " * size,
        "newlines": "\n" * size,
        "cjk": "".join(chr(rng.randrange(0x4E00, 0x9FA5)) for _ in range(size)),
        "cjk run": "中" * size,
        "base64": base64.b64encode(rng.randbytes(size * 3 // 4)).decode(),
    }


def runs(model: str, corpus: str, size: int = 1_000_000) -> dict[str, float]:  # noqa: ARG001
    """Measure one long text of each kind, once. Seconds."""
    hf, ours = load(model)
    hf.encode("a b")
    ours.encode("a b")
    result = {}
    for label, text in run_texts(size).items():
        theirs, mine = seconds(hf.encode, [text]), seconds(ours.encode, [text])
        result |= {f"{label} hf s": theirs, f"{label} s": mine, f"{label} ratio": theirs / mine}
        check(hf, ours, [text])
    return result


def main() -> None:
    """Print one line a measurement, JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--corpora", default="en,zh,code,mixed")
    parser.add_argument("--what", default="unseen")
    parser.add_argument("--json", help="write the figures here")
    options = parser.parse_args()
    table = []
    for what in options.what.split(","):
        for model in options.models.split(","):
            for corpus in ["-"] if what == "runs" else options.corpora.split(","):
                figures = globals()[what](model, corpus)
                table.append({"what": what, "model": model, "corpus": corpus, **figures})
                print(
                    what, model, corpus, *(f"{key}={value:.3g}" for key, value in figures.items()), sep="  ", flush=True
                )
    if options.json:
        Path(options.json).write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
