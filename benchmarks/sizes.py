"""How large vocabularies are in which format, raw and deflated: ``python -m benchmarks.sizes [--json FILE]``.

Needs the models' files in ``../shared/vocab`` (or `TOKENIZERS_LITE_SHARED`);
without them the bundled models are measured. Sizes are exact, not timed.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from pathlib import Path
from typing import Any

from benchmarks.texts import SHARED
from tokenizers_lite import load
from tokenizers_lite.errors import TokenizerError

BUNDLED = ("qwen3", "qwen3.5", "phi3.5", "smollm2", "bge-small-en")
# Column -> target, reader, tail of .mtok.
WRITTEN = {
    "tokenizer.json": ("tokenizer.json", "native-llm", "newer"),
    ".tiktoken": ("tiktoken", "native-llm", "newer"),
    "430 type 0": ("mnn-text:sentencepiece", "native-llm", "newer"),
    "430 type 1": ("mnn-text:tiktoken", "native-llm", "newer"),
    "430 type 2": ("mnn-text:bert", "native-llm", "newer"),
    "430 type 3": ("mnn-text:huggingface", "native-llm", "newer"),
    ".mtok, older": ("mtok", "native-llm", "older"),
    ".mtok, newer": ("mtok", "mnn", "newer"),
}
COMPACT = ("compact", "compact with index")
SOURCES = ("source tokenizer.json", "source tokenizer.model")


def sizes(name: str) -> dict[str, Any]:
    """Return (raw, deflated) bytes of a model's own files, and of what is written for each target that holds it."""
    from vocab_converters._targets import Request, make
    from vocab_converters.compact import dumps

    folder = SHARED / "vocab" / name
    tokenizer = load(str(folder) if folder.is_dir() else name)
    row: dict[str, Any] = {"model": name, "tokens": tokenizer.vocab_size}
    for kind in SOURCES:
        path = folder / kind.removeprefix("source ")
        if path.is_file():
            row[kind] = _pair(path.read_bytes())
    for column, (target, reader, tail) in WRITTEN.items():
        try:
            row[column] = _pair(make(tokenizer.spec, target, reader, Request(tail=tail)).data)
        except TokenizerError as error:  # noqa: PERF203
            print(f"{name}: no {column}: {error}", file=sys.stderr)
    row["compact"] = _pair(dumps(tokenizer.spec))
    row["compact with index"] = _pair(dumps(tokenizer.spec, index=True))
    return row


def _pair(data: bytes) -> tuple[int, int]:
    """Return how large bytes are as they are and as a wheel or an APK holds them."""
    return len(data), len(zlib.compress(data, 9))


def table(rows: list[dict[str, Any]]) -> str:
    """Return a Markdown table in KB of 1000 bytes."""
    heads = (*SOURCES, *WRITTEN, *COMPACT)
    lines = [f"| model | tokens | {' | '.join(heads)} |", "|---" * (len(heads) + 2) + "|"]
    for row in rows:
        cells = [f"{row[h][0] / 1e3:,.0f} → {row[h][1] / 1e3:,.0f}" if h in row else "–" for h in heads]
        lines.append(f"| {row['model']} | {row['tokens']:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> int:
    """Print the table."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.sizes", description=__doc__.splitlines()[0])
    made.add_argument("models", nargs="*", help="names of folders (default: all that are there)")
    made.add_argument("--json", metavar="FILE", help="write the numbers")
    made.add_argument("--record", metavar="FILE", help="put the table between the marks in a page (docs/benchmarks.md)")
    options = made.parse_args()
    folder = SHARED / "vocab"
    here = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else list(BUNDLED)
    rows = [sizes(name) for name in options.models or here]
    print(table(rows))
    if options.record:
        from benchmarks.__main__ import record

        record(Path(options.record), "sizes", table(rows))
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
