"""Measure against other tokenizers and print Markdown tables.

    python -m benchmarks [--full] [--models qwen3 ...] [--only start bulk ...] [--json FILE] [--markdown FILE]
                         [--record docs/benchmarks.md]

The quick run takes about a minute. Needs `tokenizers` to compare; tiktoken and
sentencepiece take part where they are installed and can read a model.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks import bulk, measures, peers, plot, texts

BUNDLED = ("qwen3", "qwen2.5", "qwen3.5", "phi3.5", "smollm2", "bge-small-en")
FAMILIES = ("qwen3", "phi3.5", "bge-small-en")
ALL = bulk.MODELS
LONG = ("qwen3", "llama2")  # are measured without numpy; the first on texts of 10 MB and as a stream of 100 MB too
PARTS = ("start", "bulk", "plain", "latency", "extremes", "stream")


def main() -> int:
    """Measure what the options ask for and print it."""
    made = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    made.add_argument(
        "--full",
        action="store_true",
        help="all models, larger corpora, more rounds (some ten minutes on a quiet machine)",
    )
    made.add_argument("--models", nargs="+", help=f"names (default: {' '.join(FAMILIES)})")
    made.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="what to measure")
    made.add_argument("--json", metavar="FILE", help="write the numbers")
    made.add_argument("--markdown", metavar="FILE", help="write the tables")
    made.add_argument("--plot", metavar="FILE", help="draw the ratios of unseen text (docs/benchmarks.svg)")
    made.add_argument(
        "--record", metavar="FILE", help="put the tables between the marks in a page (docs/benchmarks.md)"
    )
    options = made.parse_args()
    here = peers.sources(list(options.models or (ALL if options.full else FAMILIES)))
    with tempfile.TemporaryDirectory() as scratch:
        found = run(here, options.only, full=options.full, scratch=Path(scratch))
    report = markdown(found)
    print(report)
    if options.json:
        Path(options.json).write_text(json.dumps(found, indent=1), "utf-8")
    if options.markdown:
        Path(options.markdown).write_text(report, "utf-8")
    if options.plot:
        title = "Encoding unseen text, times as fast as tokenizers"
        Path(options.plot).write_text(plot.svg(found.get("bulk", []), "unseen", title), "utf-8")
    if options.record:
        record(Path(options.record), "run", report)
    return 0


def record(page: Path, mark: str, report: str) -> None:
    """Replace what stands between two marks of a page."""
    opening, closing = f"<!-- {mark} -->\n", f"<!-- /{mark} -->\n"
    before, _, rest = page.read_text("utf-8").partition(opening)
    _, found, after = rest.partition(closing)
    if not found:
        raise SystemExit(f"{page} has no {opening.strip()} ... {closing.strip()}")
    page.write_text(f"{before}{opening}{report.rstrip()}\n{closing}{after}", "utf-8")


def run(models: dict[str, str], parts: list[str], *, full: bool, scratch: Path) -> dict[str, Any]:
    """Return the conditions and the rows of each part."""
    found: dict[str, Any] = {"conditions": conditions(full)}
    megabytes = 5 if full else 1

    def each(name: str, *arguments: Any) -> list[dict[str, Any]]:
        rows = []
        for model, source in models.items():
            print(f"{name} {model} ...", file=sys.stderr)
            try:
                rows += getattr(measures, name)(model, source, scratch, *arguments)
            except Exception as error:
                print(f"{name} {model}: left out, {error!r}", file=sys.stderr)
        return rows

    if "start" in parts:
        found["start"] = measures.start(BUNDLED, scratch, 15 if full else 9)
    if "bulk" in parts:
        found["bulk"] = [
            cell(what, model, corpus, scratch, megabytes if what.startswith("unseen") else min(megabytes, 2))
            for model in models
            for corpus in texts.CORPORA
            for what in bulk.WHAT
        ]
    if "plain" in parts:
        found["plain"] = without_numpy([name for name in models if name in LONG], scratch, min(megabytes, 2))
    if "latency" in parts:
        found["latency"] = each("latency", 400 if full else 100)
    if "extremes" in parts:
        rows = []
        for model, source in models.items():
            sizes = (10_000, 100_000, 1_000_000, 10_000_000)[: 4 if full and model == LONG[0] else 3]
            print(f"extremes {model} ...", file=sys.stderr)
            rows += measures.extremes(model, source, scratch, sizes)
        found["extremes"] = rows
    if "stream" in parts:
        streamed = [name for name in models if name == LONG[0] or not full]
        found["stream"] = measures.stream(streamed, scratch, 100_000_000 if full else 10_000_000)
    return found


def cell(what: str, model: str, corpus: str, scratch: Path, megabytes: float) -> dict[str, Any]:
    """Measure one cell and say that it is done."""
    row = bulk.cell(what, model, corpus, scratch, megabytes=megabytes)
    print(f"{what} {model} {corpus}: {row.get('ratio', 0):.2f}", file=sys.stderr)
    return row


def without_numpy(models: list[str], scratch: Path, megabytes: float) -> list[dict[str, Any]]:
    """Measure unseen text in a process where numpy cannot be imported."""
    path = scratch / "plain.json"
    command = [sys.executable, "-m", "benchmarks.bulk", "--without-numpy", "--what", "unseen", "--peers", "tokenizers"]
    command += ["--models", ",".join(models), "--megabytes", str(megabytes), "--json", str(path)]
    if not models:
        return []
    subprocess.run(command, check=True, stdout=sys.stderr)  # noqa: S603 - ourselves
    return json.loads(path.read_text("utf-8"))  # type: ignore[no-any-return]


def conditions(full: bool) -> dict[str, Any]:
    """Return what a reader needs to know about a run."""
    versions = {
        name: _version(name) for name in ("tokenizers-lite", "tokenizers", "tiktoken", "sentencepiece", "numpy")
    }
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else -1.0
    return {
        "date": time.strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {load:.1f} at the start",
        "texts": "; ".join(f"{name}: {texts.corpus(name).source}" for name in texts.CORPORA),
        "run": "full" if full else "quick",
        "versions": versions,
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "–"


def markdown(found: dict[str, Any]) -> str:
    """Return the tables."""
    about = found["conditions"]
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items() if number != "–")
    where = f"Python {about['python']}, {about['machine']}"
    lines = [f"{about['date']}, {about['run']} run, {about['texts']}; {where}; {versions}."]
    titles = {
        "start": "Process start to first ids",
        "bulk": "Encode and decode, MB of UTF-8 per CPU second (ratio to tokenizers)",
        "plain": "The same without numpy",
        "stream": "Peak memory of encoding a stream",
        "latency": "One short text, microseconds, first sight / repeat",
        "extremes": "Extreme texts, CPU ms by number of characters (ratio to tokenizers)",
    }
    for part, title in titles.items():
        if found.get(part):
            rows = _pretty(part, found[part])
            heads = list(dict.fromkeys(head for row in rows for head in row))
            lines += ["", f"### {title}", "", f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
            lines += [f"| {' | '.join(row.get(head, '–') for head in heads)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _pretty(part: str, rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the cells of a table."""
    if part == "latency":
        return [_latency(row) for row in rows]
    return [{key: _number(value) for key, value in row.items()} for row in rows]


def _latency(row: dict[str, Any]) -> dict[str, str]:
    cells = {"model": row["model"], "text": row["text"]}
    for peer in ("ours", "tokenizers", "tiktoken", "sentencepiece"):
        if f"{peer} first" in row:
            cells[peer] = f"{row[f'{peer} first']:.0f}/{row[f'{peer} repeat']:.0f}"
    if "tokenizers first" in row:
        ratios = (row[f"tokenizers {sight}"] / row[f"ours {sight}"] for sight in ("first", "repeat"))
        cells["ratio"] = "/".join(f"{ratio:.1f}×" for ratio in ratios)
    return cells


def _number(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.2f}" if value < 10 else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


if __name__ == "__main__":
    raise SystemExit(main())
