"""Hunt for differences between tokenizers-lite and the libraries it copies.

    python -m fuzz quick                 minutes: every campaign, some models
    python -m fuzz hour                  an hour
    python -m fuzz night                 eight hours
    python -m fuzz replay                the regression store
    python -m fuzz minimise FINDS.json   make finds smaller and add them to the store
    python -m fuzz unit text:qwen3 17    do one unit again and show what it finds

A hunt goes on where it stopped: --run names its folder. The exit code is 1 if
anything differed, 3 if it differed with another version of tokenizers than the
pinned one (drift).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

MODELS_OF_QUICK = 3
LENGTHS = {"quick": 120, "hour": 3600, "night": 8 * 3600}


def main(argv: list[str] | None = None) -> int:
    """Do what the command line asks."""
    parser = argparse.ArgumentParser(
        prog="python -m fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=[*LENGTHS, "replay", "minimise", "unit"])
    parser.add_argument("what", nargs="*", help="the finds to minimise, or the campaign and seed of a unit")
    parser.add_argument(
        "--campaigns",
        nargs="+",
        metavar="NAME",
        help="specs, damaged, text:MODEL, spm[:MODEL], cpp[:MODEL], chat, files:READER, state",
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    parser.add_argument("--seconds", type=float, help="instead of the length of the command")
    parser.add_argument("--seed", type=int, default=0, help="where seeds start; another one hunts elsewhere")
    parser.add_argument("--each", type=int, default=0, help="go on only until each campaign has so many texts or files")
    parser.add_argument("--run", type=Path, help="folder of the run (default: fuzz/runs/COMMAND-SEED)")
    args = parser.parse_args(argv)
    if args.command == "replay":
        return replay()
    if args.command == "minimise":
        return minimise_all([Path(name) for name in args.what])
    if args.command == "unit":
        return one_unit(args.what[0], int(args.what[1]))
    return hunt(args)


def hunt(args: argparse.Namespace) -> int:
    """Run a hunt of some length and write its report."""
    from fuzz import report
    from fuzz.campaigns import known_campaigns
    from fuzz.hunt import Run
    from fuzz.hunt import hunt as run_units

    if report.drift():
        print(report.drift(), file=sys.stderr)
    folder = args.run or Path(__file__).parent / "runs" / f"{args.command}-{args.seed}"
    run = Run(folder, {"length": args.command, "seed": args.seed, "jobs": args.jobs})
    # Loading every model would take most of a quick hunt: each has another few.
    campaigns = args.campaigns or known_campaigns(MODELS_OF_QUICK if args.command == "quick" else None, args.seed)
    try:
        run_units(run, campaigns, args.jobs, args.seconds or LENGTHS[args.command], seed=args.seed, each=args.each)
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
    numbers = report.summary(run)
    smallest = _smallest(numbers["finds"])
    for case in smallest:
        print(f"{case['law']} ({case['component']}): {case['wrong'][:300]}", file=sys.stderr)
    (folder / "report.json").write_text(json.dumps(numbers, indent=1) + "\n", "utf-8")
    (folder / "smallest.json").write_text(json.dumps(smallest, indent=1) + "\n", "utf-8")
    (folder / "report.md").write_text(report.markdown(numbers, smallest) + "\n", "utf-8")
    print(f"{numbers['mismatches']} mismatches; report in {folder / 'report.md'}")
    return 0 if not numbers["mismatches"] else 3 if numbers["drift"] else 1


def _smallest(found: list[dict[str, Any]], most: int = 10) -> list[dict[str, Any]]:
    """Minimise one find of each kind."""
    from fuzz.minimise import minimise
    from fuzz.store import blamed

    kinds: dict[tuple[str, str], dict[str, Any]] = {}
    for case in sorted(found, key=lambda case: len(json.dumps(case))):
        kinds.setdefault((case["law"], case["wrong"][:40]), case)
    smallest = []
    for case in list(kinds.values())[:most]:
        small = minimise(case) if case["law"] != "file" and not case["law"].startswith("state") else case
        smallest.append({**small, "component": blamed(small)})
    return smallest


def minimise_all(files: list[Path]) -> int:
    """Make the finds of files smaller and add them to the store."""
    from fuzz import store
    from fuzz.minimise import still_wrong

    for path in files:
        loaded = json.loads(path.read_text("utf-8"))
        for case in _smallest(loaded["finds"] if isinstance(loaded, dict) else loaded, 1000):
            if still_wrong(case):
                print(store.add(case, case["component"], case["wrong"]))
    return 0


def replay() -> int:
    """Try every case of the store."""
    from fuzz import store

    failed = 0
    for name, case in store.cases():
        wrong = store.check(case)
        if wrong:
            failed += 1
            print(f"{name}: {wrong}")
    print(f"{len(store.cases())} cases, {failed} differ")
    return int(failed > 0)


def one_unit(campaign: str, seed: int) -> int:
    """Do one unit in this process."""
    from fuzz.campaigns import run

    result = run(campaign, seed, lambda what: print(what, file=sys.stderr))
    print(json.dumps(result, indent=1))
    return int(bool(result["finds"]))


if __name__ == "__main__":
    sys.exit(main())
