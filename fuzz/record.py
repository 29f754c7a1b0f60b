"""The record of several runs together, for docs/fuzzing.md.

    python -m fuzz.record RUN... [--into docs/fuzzing.md]

Runs of one hunt are on different commits, as what they find is mended; the
record says what each commit was tried on.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

START, END = "<!-- record -->", "<!-- end of record -->"
KINDS = {
    "text": "real models against `tokenizers`",
    "specs": "random specs",
    "damaged": "damaged specs",
    "files": "damaged files",
    "cpp": "C++ against Python",
    "spm": "`.model` files against `sentencepiece`",
    "chat": "chat templates against `transformers`",
    "emulated": "emulated stock readers",
    "state": "threads, forks, pickles, killed writers",
}
MEASURES = ("texts", "characters", "specs", "files", "conversations")


def results(runs: list[Path]) -> list[dict[str, Any]]:
    """Return the results of all units of some runs."""
    lines = [line for run in runs for line in (run / "units.jsonl").read_text("utf-8").splitlines(keepends=True)]
    return [json.loads(line) for line in lines if line.endswith("\n")]


class Sum:
    """Units put together."""

    def __init__(self) -> None:
        self.units = 0
        self.wall = self.cpu = 0.0
        self.counts: Counter[str] = Counter()
        self.each: Counter[str] = Counter()  # campaign -> what it counts in

    def add(self, result: dict[str, Any]) -> None:
        """Add a unit."""
        self.units += 1
        self.wall += result["seconds"]
        self.cpu += result.get("cpu", 0.0)
        self.counts.update(result["counts"])
        measures = ("files", "specs", "conversations", "texts")
        main = next((name for name in measures if result["counts"].get(name)), "texts")
        self.each[result["campaign"]] += result["counts"].get(main, 0)

    def row(self, name: str) -> str:
        """Return a row of a table."""
        cells = [f"{self.counts[measure]:,}" if self.counts[measure] else "" for measure in MEASURES]
        times = [f"{self.wall / 60:,.0f}", f"{self.cpu / 60:,.0f}"]
        return f"| {' | '.join([name, *times, *cells, format(self.counts['mismatches'], ',')])} |"


def markdown(found: list[dict[str, Any]]) -> str:
    """Return the tables: by campaign, by commit, by model and reader, by law."""
    kinds: dict[str, Sum] = defaultdict(Sum)
    commits: dict[str, Sum] = defaultdict(Sum)
    whole = Sum()
    for result in found:
        for one in (kinds[result["campaign"].partition(":")[0]], commits[result["commit"]], whole):
            one.add(result)
    head = f" | minutes | CPU minutes | {' | '.join(MEASURES)} | mismatches |\n|---|{'---|' * (len(MEASURES) + 3)}"
    lines = ["| campaign" + head, *(kinds[kind].row(name) for kind, name in KINDS.items() if kind in kinds)]
    lines += [whole.row("**together**"), "", "| commit" + head]
    lines += [one.row(f"`{commit}`") for commit, one in commits.items()]
    lines += ["", _each(kinds), "", _laws(whole.counts), "", _early(whole.counts)]
    return "\n".join(lines)


def _each(kinds: dict[str, Sum]) -> str:
    """Say how many texts each model had, and how many files each reader."""
    said = []
    for kind, what in (("text", "texts a model"), ("cpp", "texts a model in C++"), ("files", "files a reader")):
        each = {name: count for name, count in kinds[kind].each.items() if ":" in name} if kind in kinds else {}
        if each:
            least, most = min(each, key=each.__getitem__), max(each, key=each.__getitem__)
            said.append(
                f"{what}: {each[least]:,} ({least.partition(':')[2]}) to {each[most]:,} "
                f"({most.partition(':')[2]}), {len(each)} of them"
            )
    return "; ".join(said) + "."


def _laws(counts: Counter[str]) -> str:
    laws = sorted((name[4:], count) for name, count in counts.items() if name.startswith("law "))
    return "Checks by law: " + ", ".join(f"{name} {count:,}" for name, count in laws) + "."


def _early(counts: Counter[str]) -> str:
    early = sum(count for name, count in counts.items() if name.startswith("unit "))
    known = ", ".join(f"{name[7:]} {count:,}" for name, count in sorted(counts.items()) if name.startswith("known: "))
    ended = f"{early} units ended early: the oracle hung or died, or the unit could not begin."
    return f"{ended} Known divergences met: {known or 'none'}."


def main() -> int:
    """Do what the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--into", type=Path, help=f"put it between the lines {START} and {END} of a file")
    args = parser.parse_args()
    text = markdown(results(args.runs))
    if args.into is None:
        print(text)
        return 0
    whole = args.into.read_text("utf-8")
    before, rest = whole.split(START)
    args.into.write_text(f"{before}{START}\n\n{text}\n\n{END}{rest.split(END)[1]}", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
