"""Measure the C++ reader beside Hugging Face's library: ``python -m benchmarks.cpp [--record docs/cpp.md]``.

Builds `vocab_converters/cpp/benchmark.cpp` with the compiler at hand (CXX, g++
or clang++, -O2). In each round both encode and decode the same documents, one
thread, nothing added, one after the other; figures are CPU times, the best of
the rounds for each, and the ids are compared. Loading is of a file in memory.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import texts
from benchmarks.texts import SHARED

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCES = Path(__file__).resolve().parents[1] / "vocab_converters" / "cpp"
MODELS = ("qwen3", "llama-3.2-instruct", "gemma-2", "minicpm-2b", "phi-3.5-mini-instruct", "smollm2")
CORPORA = ("en", "zh", "code")
Row = dict[str, Any]


def build(folder: Path) -> Path:
    """Compile the benchmark and return its path."""
    names = (os.environ.get("CXX"), "g++", "clang++")
    compiler = next((name for name in names if name and shutil.which(name)), None)
    if compiler is None:
        raise SystemExit("needs a C++17 compiler: g++, clang++ or CXX")
    program = folder / "benchmark"
    flags = ["-std=c++17", "-O2", "-fno-exceptions", "-fno-rtti"]
    sources = [SOURCES / "benchmark.cpp", SOURCES / "tokenizers_lite.cpp"]
    subprocess.run([compiler, *flags, *sources, "-o", program], check=True)  # noqa: S603
    return program


def run(program: Path, *arguments: Path) -> list[Row]:
    """Return what the benchmark prints."""
    done = subprocess.run([program, *arguments], check=True, capture_output=True, text=True)  # noqa: S603
    return [json.loads(line) for line in done.stdout.splitlines()]


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of a call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(model: str, program: Path, folder: Path, rounds: int, megabytes: float) -> list[Row]:
    """Return a row for each corpus and one, without a corpus, for loading and long runs."""
    from tokenizers import Tokenizer

    from tokenizers_lite.formats import read
    from vocab_converters.compact import dumps

    source = SHARED / "vocab" / model
    path = folder / f"{model}.tokc"
    path.write_bytes(dumps(read(str(source)), index=False))
    theirs = Tokenizer.from_file(str(source / "tokenizer.json"))
    theirs.no_truncation()
    rows = [_corpus(theirs, program, path, folder, name, rounds, megabytes) for name in CORPORA]
    loading, *runs = run(program, path)
    loading["file"] = path.stat().st_size
    loading["runs"] = {row["run"]: row["seconds"] for row in runs}
    return [{"model": model, **row} for row in (*rows, loading)]


def _corpus(  # noqa: PLR0917 - one call
    theirs: Any, program: Path, path: Path, folder: Path, name: str, rounds: int, megabytes: float
) -> Row:
    documents = texts.first(texts.corpus(name).documents, int(megabytes * 1e6))
    corpus = folder / name
    corpus.write_bytes(b"".join(text.replace("\0", "").encode() + b"\0" for text in documents))
    documents = [text.replace("\0", "") for text in documents]
    best: Row = {"corpus": name}
    ids: list[list[int]] = []
    for _ in range(rounds):
        mine = run(program, path, corpus)[0]
        took = seconds(lambda: ids.extend(theirs.encode(text, add_special_tokens=False).ids for text in documents))
        back = seconds(lambda: [theirs.decode(each) for each in ids])
        total = sum(map(len, ids))
        if mine["tokens"] != total:
            raise SystemExit(f"{path.stem}, {name}: {mine['tokens']} tokens, tokenizers has {total}")
        ids.clear()
        new = {"encode": mine["encode"], "decode": mine["decode"], "their encode": took, "their decode": back}
        best |= {what: min(value, best.get(what, value)) for what, value in new.items()}
        best["bytes"] = mine["bytes"]
    return best


def report(rows: list[Row]) -> str:
    """Return the tables."""
    from tokenizers import __version__

    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    machine += f", load {os.getloadavg()[0]:.1f} at the end"
    lines = [f"{time.strftime('%Y-%m-%d')}, {machine}; tokenizers {__version__}; CPU time, MB of UTF-8 a second.", ""]
    lines += ["| model | text | C++ encode | tokenizers | ratio | C++ decode | tokenizers | ratio |", "|---" * 8 + "|"]
    for row in rows:
        if "corpus" in row:
            mine, theirs, back, their_back = (
                row["bytes"] / 1e6 / row[what] for what in ("encode", "their encode", "decode", "their decode")
            )
            lines.append(
                f"| {row['model']} | {row['corpus']} | {mine:.1f} | {theirs:.2f} | {mine / theirs:.0f}× "
                f"| {back:.0f} | {their_back:.1f} | {back / their_back:.0f}× |"
            )
    lines += ["", "| model | file, KB | load, ms | memory, MB | 1 MB of `a`, s | the slowest run of 1 MB tried, s |"]
    lines += ["|---" * 6 + "|"]
    for row in rows:
        if "load" in row:
            slowest = max(row["runs"], key=row["runs"].__getitem__)
            lines.append(
                f"| {row['model']} | {row['file'] / 1e3:,.0f} | {row['load'] * 1e3:.1f} | {row['memory'] / 1e6:.1f} "
                f"| {row['runs']['a']:.3f} | {row['runs'][slowest]:.3f} ({slowest!r}) |"
            )
    return "\n".join(lines)


def main() -> int:
    """Measure and print."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.cpp", description=__doc__.splitlines()[0])
    made.add_argument("models", nargs="*", help=f"folders in {SHARED / 'vocab'} (default: {' '.join(MODELS)})")
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument("--megabytes", type=float, default=1.5, help="of each corpus")
    made.add_argument("--record", metavar="FILE", help="put the tables between the marks in a page (docs/cpp.md)")
    options = made.parse_args()
    if not (SHARED / "vocab").is_dir():
        raise SystemExit(f"needs models in {SHARED / 'vocab'} (set TOKENIZERS_LITE_SHARED)")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        program = build(folder)
        rows = [
            row
            for model in options.models or MODELS
            for row in measure(model, program, folder, options.rounds, options.megabytes)
        ]
    print(report(rows))
    if options.record:
        from benchmarks.__main__ import record

        record(Path(options.record), "cpp", report(rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
