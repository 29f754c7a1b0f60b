"""Encoding and decoding of documents of 8 KB beside other libraries: same process, same documents, in turn.

    python -m benchmarks.bulk --what unseen --models llama2 --corpora en       # one cell, some 10 s
    python -m benchmarks.bulk --what unseen --megabytes 1 --peers tokenizers   # quicker still

What is measured, each a function below:

* ``unseen``: everybody has encoded half of the corpus; documents of the other half, each once.
* ``unseen_batch``: the same documents in one call of ``encode_batch``, in one thread.
* ``cold``: caches empty, the first 1.5 MB. Ours is a tokenizer that has just been loaded, tables not made yet.
* ``seen``: 1.5 MB of documents that have just been encoded.
* ``batch``: ``encode_batch`` of unseen documents by the clock: tokenizers with threads, we with processes on all cores.
* ``decode``, ``decode_batch``: the ids of 1.5 MB, each document or all at once.

CPU time (`time.process_time`) is measured, not the clock, except where several
cores work: it stays put on a shared machine. Who goes first changes from round
to round; figures are medians over rounds, `ratio` the median of the rounds'
ratios of the time of `tokenizers` to ours. Ids of everybody are lists of int
(``.ids`` of tokenizers), special tokens are not added, and ours are compared with
those of tokenizers, outside the measured time.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import peers, texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.peers import Engine

MODELS = ("qwen3", "llama-3.2-instruct", "llama2", "gemma-2", "gemma-3", "minicpm-2b")
FIRST = 1_500_000  # bytes of a cold batch
Row = dict[str, Any]
Times = dict[str, list[float]]


def in_turn(engines: list[Engine], batches: list[Any], work: Callable[[Engine, Any], object]) -> Times:
    """Let every engine do every batch and return the seconds of CPU time; the one that goes first changes."""
    taken: Times = {engine.name: [] for engine in engines}
    for turn, batch in enumerate(batches):
        at = turn % len(engines)
        for engine in engines[at:] + engines[:at]:
            gc.collect()
            start = time.process_time()
            work(engine, batch)
            taken[engine.name].append(time.process_time() - start)
    return taken


def figures(taken: Times, sizes: list[int]) -> Row:
    """Return MB/s of each engine and the ratio to tokenizers."""
    row: Row = {}
    for name, seconds in taken.items():
        row[name] = statistics.median(size / 1e6 / max(each, 1e-9) for size, each in zip(sizes, seconds, strict=True))
    if "tokenizers" in taken:
        pairs = zip(taken["tokenizers"], taken["ours"], strict=True)
        row["ratio"] = statistics.median(theirs / max(mine, 1e-9) for theirs, mine in pairs)
    return row


def differing(engines: list[Engine], documents: list[str]) -> int:
    """Count documents whose ids are not those of tokenizers."""
    by_name = {engine.name: engine for engine in engines}
    if "tokenizers" not in by_name:
        return 0
    ours, theirs = by_name["ours"], by_name["tokenizers"]
    return sum(ours.encode(text) != theirs.encode(text) for text in documents)


def size_of(documents: list[str]) -> int:
    """Bytes of UTF-8."""
    return sum(len(text.encode()) for text in documents)


def spread(documents: list[str], rounds: int) -> list[list[str]]:
    """Deal documents to rounds."""
    return [documents[at::rounds] for at in range(rounds)]


def unseen(engines: list[Engine], documents: list[str], rounds: int = 5) -> Row:
    """Warm up on the first half, then measure on the rest."""
    half = len(documents) // 2
    for engine in engines:
        engine.encode_all(documents[:half])
    rest = spread(documents[half:], rounds)
    row = figures(in_turn(engines, rest, lambda engine, batch: engine.encode_all(batch)), [*map(size_of, rest)])
    return {**row, "differing": differing(engines, documents[half:])}


def unseen_batch(engines: list[Engine], documents: list[str], rounds: int = 5) -> Row:
    """Do the same with one call a round, for those who have such a call."""
    engines = [engine for engine in engines if engine.encode_many is not None]
    half = len(documents) // 2
    for engine in engines:
        engine.encode_many(documents[:half])  # type: ignore[misc]
    rest = spread(documents[half:], rounds)
    found: dict[str, list[object]] = {engine.name: [] for engine in engines}

    def work(engine: Engine, batch: list[str]) -> None:
        found[engine.name].append(engine.encode_many(batch))  # type: ignore[misc]

    row = figures(in_turn(engines, rest, work), [*map(size_of, rest)])
    return {
        **row,
        "differing": sum(ids != found["ours"][turn] for each in found.values() for turn, ids in enumerate(each)),
    }


def cold(engines: list[Engine], documents: list[str], rounds: int = 3) -> Row:
    """Measure the first 1.5 MB after caches were emptied; who has no way to empty them does not take part."""
    engines = [engine for engine in engines if engine.reset is not None]
    batches = [texts.first(documents[at:] + documents[:at], FIRST) for at in range(0, rounds * 40, 40)]
    taken: Times = {}
    for batch in batches:
        for engine in engines:
            assert engine.reset is not None
            engine.reset()
        for name, seconds in in_turn(engines, [batch], lambda engine, batch: engine.encode_all(batch)).items():
            taken.setdefault(name, []).extend(seconds)
        engines = engines[::-1]
    row = figures(taken, [*map(size_of, batches)])
    return {**row, "differing": differing(engines, batches[0])}


def seen(engines: list[Engine], documents: list[str], rounds: int = 3) -> Row:
    """Measure documents that all have just encoded."""
    batch = texts.first(documents, FIRST)
    for engine in engines:
        engine.encode_all(batch)
    return figures(
        in_turn(engines, [batch] * rounds, lambda engine, batch: engine.encode_all(batch)), [size_of(batch)] * rounds
    )


def decode(engines: list[Engine], documents: list[str], rounds: int = 5) -> Row:
    """Measure decoding one document after another."""
    return _decoding(engines, documents, rounds, lambda engine, batch: engine.decode_all(batch))


def decode_batch(engines: list[Engine], documents: list[str], rounds: int = 5) -> Row:
    """Measure decoding in one call, for those who have such a call."""
    engines = [engine for engine in engines if engine.decode_batch is not None]
    return _decoding(engines, documents, rounds, lambda engine, batch: engine.decode_batch(batch))  # type: ignore[misc]


def batch(engines: list[Engine], documents: list[str], rounds: int = 3) -> Row:
    """Measure `encode_batch` of unseen documents by the clock, on all cores; all is started before."""
    engines = [engine for engine in engines if engine.encode_batch is not None]
    half = len(documents) // 2
    for engine in engines:
        assert engine.encode_batch is not None
        engine.encode_all(documents[:half])
        engine.encode_batch(documents[:half])
    found: dict[str, list[object]] = {engine.name: [] for engine in engines}
    taken: Times = {engine.name: [] for engine in engines}
    parts = spread(documents[half:], rounds)
    for turn, part in enumerate(parts):
        for engine in engines[:: -1 if turn % 2 else 1]:
            assert engine.encode_batch is not None
            start = time.perf_counter()
            found[engine.name].append(engine.encode_batch(part))
            taken[engine.name].append(time.perf_counter() - start)
    differing = sum(ids != found["ours"][turn] for ids_of in found.values() for turn, ids in enumerate(ids_of))
    return {**figures(taken, [*map(size_of, parts)]), "differing": differing}


def _decoding(engines: list[Engine], documents: list[str], rounds: int, work: Callable[[Engine, Any], object]) -> Row:
    batch = texts.first(documents, FIRST)
    ids = engines[0].encode_all(batch)
    for engine in engines:
        work(engine, ids[:20])
    row = figures(in_turn(engines, [ids] * rounds, work), [size_of(batch)] * rounds)
    by_name = {engine.name: engine for engine in engines}
    if "tokenizers" in by_name:
        row["differing"] = sum(
            a != b for a, b in zip(by_name["ours"].decode_all(ids), by_name["tokenizers"].decode_all(ids), strict=True)
        )
    return row


WHAT: dict[str, Callable[[list[Engine], list[str]], Row]] = {
    "unseen": unseen,
    "unseen_batch": unseen_batch,
    "cold": cold,
    "seen": seen,
    "batch": batch,
    "decode": decode,
    "decode_batch": decode_batch,
}


def cell(what: str, model: str, corpus: str, scratch: Path, *, megabytes: float = 5, only: str = "") -> Row:
    """Measure one thing on one model and one corpus.

    Args:
        what: a name in `WHAT`.
        model: a name that `peers.sources` finds.
        corpus: a name that `texts.corpus` knows.
        scratch: where converted files may be put.
        megabytes: how much of the corpus.
        only: comma-separated names of peers; all that can read the model if empty.
    """
    engines = peers.engines(model, scratch, only)
    for engine in engines:
        if engine.reset is not None:
            engine.reset()
    documents = texts.first(texts.corpus(corpus).documents, int(megabytes * 1e6))
    return {"what": what, "model": model, "corpus": corpus, **WHAT[what](engines, documents)}


def main() -> None:
    """Print one line a measurement, JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--corpora", default=",".join(texts.CORPORA))
    parser.add_argument("--what", default="unseen", help=", ".join(WHAT))
    parser.add_argument("--peers", default="", help="tokenizers,tiktoken,sentencepiece (default: all)")
    parser.add_argument("--megabytes", type=float, default=5, help="how much of each corpus (default: 5)")
    parser.add_argument("--json", help="write the figures here")
    parser.add_argument("--without-numpy", action="store_true", help="as if it were not installed")
    options = parser.parse_args()
    if options.without_numpy:
        sys.modules["numpy"] = None  # type: ignore[assignment]
    table = []
    with tempfile.TemporaryDirectory() as scratch:
        for what in options.what.split(","):
            for model in options.models.split(","):
                for corpus in options.corpora.split(","):
                    row = cell(what, model, corpus, Path(scratch), megabytes=options.megabytes, only=options.peers)
                    table.append(row)
                    print(
                        *(
                            f"{key}={value:.3g}"
                            if isinstance(value, float)
                            else value
                            if isinstance(value, str)
                            else f"{key}={value}"
                            for key, value in row.items()
                        ),
                        sep="  ",
                        flush=True,
                    )
    if options.json:
        Path(options.json).write_text(json.dumps(table, indent=1), "utf-8")
    if any(row.get("differing") for row in table):
        sys.exit("ids differ from those of tokenizers")


if __name__ == "__main__":
    main()
