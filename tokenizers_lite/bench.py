"""Bench: how fast models start, encode and decode on this machine.

It needs nothing but the package; `tokenizers`, `tiktoken` and `sentencepiece`
take part in the same run where they are installed and can read the model. The
primitives here (`starts`, `cpu_of`, `median`) also serve the repository's
benchmarks.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from tokenizers_lite.peers import Engine

# Characters of a document, and documents of the built-in text.
DOCUMENT = 8000
_DOCUMENTS = 24
# What is timed, in this order.
WHAT = ("first", "again", "decode")
_WORDS = """\
the of and to in that for with as was on are this by from be which model language token text data large small
system between number however während naïve function return value self import class print None 2024 3.14
人工智能 的 模型 语言 我们 可以 使用 数据 中国 一个 東京 です ます こと привет мир который 안녕하세요 세계
"""
_MARKS = ("", "", "", "", ",", ".", "\n", "。", "(", "):\n    ", '"', " — ", "!", "\n\n")


def builtin_text(size: int = DOCUMENT * _DOCUMENTS, seed: int = 1) -> str:
    """Return made-up text of several languages and code, the same for the same seed."""
    import random

    words = _WORDS.split()
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    parts: list[str] = []
    length = 0
    while length < size:
        word = rng.choice(words)
        if rng.random() < 0.1:  # a word nobody has seen
            word = "".join(rng.choice("aeiounrtslmdkp") for _ in range(rng.randint(3, 11)))
        parts.append(word + rng.choice(_MARKS) + " ")
        length += len(parts[-1])
    return "".join(parts)[:size]


def documents(text: str, size: int = DOCUMENT) -> list[str]:
    """Cut a text into documents at ends of lines, where there are any."""
    found = []
    start = 0
    while start < len(text):
        end = start + size
        if end < len(text):
            end = text.rfind("\n", start + size // 2, end) + 1 or end
        found.append(text[start:end])
        start = end
    return found


def median(values: Sequence[float]) -> float:
    """Return the middle value."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def cpu_of(work: Callable[..., object], *arguments: object) -> float:
    """Return the CPU seconds that a call takes in this process: on a shared machine steadier than the clock."""
    start = time.process_time()
    work(*arguments)
    return time.process_time() - start


def start_code(model: str, text: str = "Hello, world!") -> str:
    """Return the program whose start is measured."""
    return f"import tokenizers_lite\ntokenizers_lite.load({model!r}).encode({text!r})"


# Runs programs in turn. It is a process of its own, with as little in memory as can be, because Linux counts the
# parent's memory at the moment of the start as the child's (exec keeps the largest resident size of both).
_STARTER = """
import os, sys, time
for round in range(int(sys.argv[1])):
    for number, code in enumerate(sys.argv[2:]):
        command = [sys.executable, "-c", code]
        start = time.perf_counter()
        if hasattr(os, "wait4"):
            quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
            _, status, usage = os.wait4(os.posix_spawn(command[0], command, os.environ, file_actions=quiet), 0)
            cpu, memory = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        else:
            import subprocess
            status, cpu, memory = subprocess.call(command, stdout=subprocess.DEVNULL), float("nan"), float("nan")
        wall = time.perf_counter() - start
        if status:
            sys.exit(f"this program failed: {code}")
        print(number, wall, cpu, memory)
"""


def starts(programs: dict[str, str], rounds: int, *, warm: bool = True) -> dict[str, tuple[float, float, float]]:
    """Run Python programs in turn, so that all share the machine's moods, after a round that does not count (`warm`).

    Returns:
        For each the medians of seconds by the clock, CPU seconds and largest
        resident memory in bytes (the last two nan on Windows, which does not tell).

    Raises:
        subprocess.CalledProcessError: a program failed; stderr says how.
    """
    import subprocess

    # Without cached bytecode every start would compile; that is not what users see.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (here, environment.get("PYTHONPATH"))))
    command = [sys.executable, "-S", "-c", _STARTER, str(rounds + warm), *programs.values()]
    said = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603
    rows = [line.split() for line in said.splitlines()]
    found = {}
    for number, name in enumerate(programs):
        own = [tuple(map(float, row[1:])) for row in rows if int(row[0]) == number][int(warm) :]
        wall, cpu, memory = map(median, zip(*own, strict=True))
        found[name] = wall, cpu, memory
    return found


def speeds(engines: Sequence[Engine], batch: list[str], rounds: int) -> dict[str, dict[str, float]]:
    """Let engines take turns at encoding a batch first seen and again, and at decoding it.

    Args:
        engines: ours first; who begins changes from round to round.
        batch: the documents.
        rounds: how many rounds the medians are of.

    Returns:
        Name of each -> MB of UTF-8 per CPU second (`first`, `again`, `decode`), how many documents
        have other ids than ours (`differing`), and how many times as long as ours each took (`first_ratio`, ...),
        the median of the rounds.
    """
    size = sum(len(text.encode()) for text in batch) / 1e6
    ids = engines[0].encode_all(batch)
    taken: dict[str, list[dict[str, float]]] = {engine.name: [] for engine in engines}
    for turn in range(rounds):
        at = turn % len(engines)
        for engine in (*engines[at:], *engines[:at]):
            taken[engine.name].append(_one_round(engine, batch, ids))
    found = {}
    for engine in engines:
        row: dict[str, float] = {}
        for what in WHAT:
            own = [times[what] for times in taken[engine.name]]
            row[what] = size / median(own)
            pairs = zip(own, taken[engines[0].name], strict=True)
            row[f"{what}_ratio"] = median([theirs / ours[what] for theirs, ours in pairs])
        row["differing"] = sum(a != b for a, b in zip(engine.encode_all(batch), ids, strict=True))
        found[engine.name] = row
    return found


def _one_round(engine: Engine, batch: list[str], ids: list[list[int]]) -> dict[str, float]:
    """Return the CPU seconds of each thing, with empty caches at first where they can be emptied."""
    if engine.reset is not None:
        engine.reset()
    first, again = cpu_of(engine.encode_all, batch), cpu_of(engine.encode_all, batch)
    engine.decode_all(ids[:20])  # makes tables
    decode = cpu_of(engine.decode_all, ids)
    return {what: max(seconds, 1e-9) for what, seconds in zip(WHAT, (first, again, decode), strict=True)}


def measure(model: str, batch: list[str], rounds: int, *, alone: bool = False) -> dict[str, Any]:
    """Return everything the command tells of a model; times in milliseconds, memory in MB.

    Other libraries take part where they are installed and can read the model, unless `alone`.
    """
    import tempfile
    from pathlib import Path

    from tokenizers_lite import load, peers

    begun = starts({"bare": "pass", "start": start_code(model)}, max(rounds, 3) * 2 - 1)
    tokenizer = load(model)
    with tempfile.TemporaryDirectory() as scratch:
        others = [] if alone else peers.find(tokenizer, model, Path(scratch))
        found = speeds([peers.ours(model), *others], batch, rounds)
    row: dict[str, Any] = {"model": model, **{what: found["ours"][what] for what in WHAT}}
    row["tokens"] = sum(map(len, tokenizer.encode_batch(batch)))
    for name, (wall, cpu, memory) in begun.items():
        row[name] = {"wall_ms": wall * 1e3, "cpu_ms": cpu * 1e3, "memory_mb": memory / 1e6}
    if not alone:
        row["peers"] = {name: found.get(name) or {"missing": _why_missing(name)} for name in peers.PEERS}
    return row


def _why_missing(name: str) -> str:
    from importlib.util import find_spec

    return "cannot read this model" if find_spec(name) else "not installed"


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return a Markdown table."""
    lines = [
        "| model | start ms (bare Python) | memory MB (bare) | encode MB/s first/again | decode MB/s | tokens |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        start, bare = row["start"], row["bare"]
        lines.append(
            f"| {row['model']} | {start['wall_ms']:.0f} ({bare['wall_ms']:.0f}) | "
            f"{start['memory_mb']:.0f} ({bare['memory_mb']:.0f}) | {row['first']:.1f}/{row['again']:.1f} | "
            f"{row['decode']:.0f} | {row['tokens']:,.0f} |"
        )
    return "\n".join(lines)


def peer_table(rows: Sequence[dict[str, Any]]) -> str:
    """Return a Markdown table of the other libraries, nothing if none was to take part."""
    lines = [
        "| model | library | encode MB/s first/again | decode MB/s | ours is × as fast: first/again/decode | ids |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        for name, peer in row.get("peers", {}).items():
            if "missing" in peer:
                lines.append(f"| {row['model']} | {name} | – | – | – | {peer['missing']} |")
                continue
            ratios = "/".join(f"{peer[f'{what}_ratio']:.1f}" for what in WHAT)
            ids = f"{peer['differing']} documents differ" if peer["differing"] else "equal"
            lines.append(
                f"| {row['model']} | {name} | {peer['first']:.1f}/{peer['again']:.1f} | {peer['decode']:.0f} | "
                f"{ratios} | {ids} |"
            )
    return "\n".join(lines) if len(lines) > 2 else ""


def main(argv: list[str]) -> int:
    """Run ``tokenizers-lite bench``."""
    import argparse
    import json
    import platform

    from tokenizers_lite import _terminal

    made = argparse.ArgumentParser(
        prog="tokenizers-lite bench",
        description="Measure how fast models start, encode and decode here, by CPU time.",
        epilog="'start' is a whole process from nothing to the ids of one short text. tokenizers, tiktoken "
        "and sentencepiece take turns with this package where they are installed; special tokens are not added there. "
        "Exit code 1 if ids differ from those of tokenizers.",
    )
    default = os.environ.get("TOKENIZERS_LITE_MODEL", "qwen3")
    made.add_argument("file", nargs="?", help="text to measure on (default: a built-in text)")
    made.add_argument(
        "-m", "--model", action="append", help=f"name, hub id, file or folder; may be repeated (default: {default})"
    )
    made.add_argument("--rounds", type=int, default=3, help="rounds whose medians are shown (default: 3)")
    made.add_argument("--json", metavar="FILE", help="write the numbers as JSON too (- is stdout, without the table)")
    made.add_argument("--markdown", metavar="FILE", help="write the tables as Markdown too")
    made.add_argument("--alone", action="store_true", help="leave other libraries out, though they are installed")
    options = made.parse_args(argv)
    if options.rounds < 1:
        made.error("--rounds must be at least 1")
    text = _terminal.read(options.file, "replace") if options.file else builtin_text()
    batch = documents(text)
    rows = [measure(model, batch, options.rounds, alone=options.alone) for model in options.model or [default]]
    found = {"python": platform.python_version(), "platform": platform.platform(), "rows": rows}
    said = f"{len(text):,} characters in {len(batch)} documents; medians of {options.rounds} rounds"
    report = "\n\n".join(filter(None, (said, table(rows), peer_table(rows)))) + "\n"
    if options.json and options.json != "-":
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=2)
    if options.markdown:
        with open(options.markdown, "w", encoding="utf-8") as file:
            file.write(report)
    print(json.dumps(found, indent=2) if options.json == "-" else report.rstrip())
    differ = [row["model"] for row in rows if row.get("peers", {}).get("tokenizers", {}).get("differing")]
    if differ:
        print(f"tokenizers-lite: ids of {', '.join(differ)} differ from those of tokenizers", file=sys.stderr)
    return 1 if differ else 0
