"""What is measured: each function returns rows of plain values.

All peers of a row are measured in the same process, in turn, by CPU time;
`ratio` is how many times as fast as tokenizers this project is, from medians.
"""

from __future__ import annotations

import importlib.util
import time
from typing import TYPE_CHECKING, Any

from benchmarks import peers, texts
from tokenizers_lite import load
from tokenizers_lite.bench import cpu_of, median, start_code, starts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Row = dict[str, Any]


def start(bundled: Iterable[str], scratch: Path, rounds: int) -> list[Row]:
    """Measure whole processes: bare Python, the import, each bundled model to its first ids, and tokenizers."""
    programs = {"bare python": "pass", "import tokenizers_lite": "import tokenizers_lite"}
    programs |= {f"{name}: load, encode": start_code(name) for name in bundled}
    if importlib.util.find_spec("tokenizers"):
        for name in ("qwen3", "phi3.5"):
            source = peers.sources([name])[name]
            path = str(peers.tokenizer_json(load(name), source, scratch))
            code = f"from tokenizers import Tokenizer\nTokenizer.from_file({path!r}).encode('Hello, world!').ids"
            programs[f"{name}: tokenizers"] = code
    found = starts(programs, rounds)
    bare = found["bare python"]
    return [
        {"process": name, "wall_ms": w * 1e3, "cpu_ms": c * 1e3, "cpu_ratio": c / bare[1], "rss_mb": m / 1e6}
        for name, (w, c, m) in found.items()
    ]


def memory(names: list[str], scratch: Path, rounds: int) -> list[Row]:
    """Measure the peak memory of a process that encodes 1 MB of text."""
    path = scratch / "text.txt"
    path.write_text("".join(texts.first(texts.corpus("mixed").documents, 1_000_000)), "utf-8")
    read = f"text = open({str(path)!r}, encoding='utf-8').read()\n"
    programs = {"bare python": "pass"}
    for name, source in peers.sources(names).items():
        model = peers.compact(source, scratch)
        programs[f"{name}: ours"] = f"{read}import tokenizers_lite\ntokenizers_lite.load({model!r}).encode(text)"
        if importlib.util.find_spec("tokenizers"):
            json = str(peers.tokenizer_json(load(model), source, scratch))
            code = f"from tokenizers import Tokenizer\nTokenizer.from_file({json!r}).encode(text).ids"
            programs[f"{name}: tokenizers"] = read + code
    found = starts(programs, max(rounds // 3, 1))
    return [{"process": name, "cpu_ms": c * 1e3, "rss_mb": m / 1e6} for name, (_, c, m) in found.items()]


def latency(name: str, source: str, scratch: Path, count: int) -> list[Row]:
    """Measure one short text at a time, in microseconds: never seen before, and right after."""
    model = peers.compact(source, scratch)
    engines = [peers.ours(model), *peers.find(load(model), source, scratch)]
    rows = []
    for corpus, length in (("en", 20), ("zh", 20), ("en", 2000), ("zh", 700)):
        whole = "".join(texts.corpus(corpus).documents)
        half = len(whole) // 2
        for engine in engines:  # has run for a while, on other text
            engine.encode(whole[: min(half, 300_000)])
        step = max((len(whole) - half) // (count + 1), length)
        prompts = [whole[at : at + length] for at in range(half, len(whole) - length, step)][:count]
        row: Row = {"model": name, "text": f"{corpus}, {length} characters"}
        taken: dict[str, list[float]] = {}
        for prompt in prompts:
            for engine in engines:
                for sight in ("first", "repeat"):
                    begun = time.perf_counter_ns()
                    engine.encode(prompt)
                    taken.setdefault(f"{engine.name} {sight}", []).append((time.perf_counter_ns() - begun) / 1e3)
        rows.append(row | {key: median(values) for key, values in taken.items()})
    return rows


def extremes(name: str, source: str, scratch: Path, sizes: Iterable[int]) -> list[Row]:
    """Measure texts that make tokenizers slow: CPU ms, the ratio to tokenizers in brackets. Both have run on prose."""
    model = peers.compact(source, scratch)
    others = [engine for engine in peers.find(load(model), source, scratch) if engine.name == "tokenizers"]
    prose = texts.first(texts.corpus("mixed").documents, 300_000)
    rows: dict[str, Row] = {}
    for size in sizes:
        for kind, text in texts.pathological(size).items():
            row = rows.setdefault(kind, {"model": name, "text": kind, "differing": 0})
            own = peers.ours(model)
            for engine in (own, *others):
                engine.encode_all(prose)
            ids: list[list[int]] = []
            mine = _timed(own, text, ids)
            row[f"{size:,}"] = f"{mine * 1e3:,.1f}"
            for engine in others:
                try:
                    theirs = _timed(engine, text, ids)
                except BaseException as error:
                    if type(error).__name__ != "PanicException":  # pyo3's, which is no Exception
                        raise
                    row[f"{size:,}"] += " (it panics)"  # Oniguruma's retry limit, on a run of ten million
                    continue
                row[f"{size:,}"] += f" ({theirs / max(mine, 1e-9):.1f}×)"
                row["differing"] += ids[0] != ids[-1]
    return list(rows.values())


def _timed(engine: peers.Engine, text: str, into: list[list[int]]) -> float:
    """Encode a text, keep its ids, return the CPU seconds."""
    return cpu_of(lambda: into.append(engine.encode(text)))


_STREAM = """
import pathlib, sys, tokenizers_lite
def parts():
    left = int(sys.argv[2]) if len(sys.argv) > 2 else {size}
    while left > 0:
        for path in {files}:
            with open(path, encoding="utf-8", newline="") as file:
                while left > 0 and (text := file.read(1 << 16)):
                    left -= len(text.encode())
                    yield text
for ids in tokenizers_lite.load({model!r}).encode_stream(parts()): pass
"""


def stream(names: Iterable[str], scratch: Path, size: int) -> list[Row]:
    """Measure the peak memory of a process that encodes `size` bytes as a stream, all corpora again and again."""
    path = scratch / "stream.txt"
    path.write_text("".join("".join(texts.corpus(name).documents) for name in texts.CORPORA), "utf-8")
    programs = {}
    for name, source in peers.sources(list(names)).items():
        model = peers.compact(source, scratch)
        programs[name] = _STREAM.format(size=size, files=[str(path)], model=model)
    found = starts(programs, 1, warm=False)
    return [{"model": name, "MB": size / 1e6, "cpu_s": c, "rss_mb": m / 1e6} for name, (_, c, m) in found.items()]
