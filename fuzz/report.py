"""What a run came to, in Markdown and JSON."""

from __future__ import annotations

import json
import platform
from collections import Counter
from typing import TYPE_CHECKING, Any

from fuzz import laws
from fuzz.hunt import finds
from fuzz.known import REASONS

if TYPE_CHECKING:
    from fuzz.hunt import Run

    Json = dict[str, Any]


def drift() -> str | None:
    """Name the versions if the oracle is not the pinned one: differences are then theirs until shown otherwise."""
    installed = laws.tokenizers.__version__
    if installed == laws.PINNED:
        return None
    return f"oracle drift: tokenizers {installed} is installed, parity is promised with {laws.PINNED}"


def summary(run: Run) -> Json:
    """Return the numbers of a run."""
    import tokenizers_lite

    campaigns: dict[str, Counter[str]] = {}
    seconds: Counter[str] = Counter()
    for result in run.results:
        campaigns.setdefault(result["campaign"], Counter()).update(result["counts"])
        seconds[result["campaign"]] += result["seconds"]
    total = run.totals()
    found = finds(run.results)
    return {
        **run.settings,
        "tokenizers_lite": tokenizers_lite.__version__,
        "tokenizers": laws.tokenizers.__version__,
        "drift": drift(),
        "python": platform.python_version(),
        "worker_seconds": round(run.spent),
        "units": len(run.results),
        "counts": dict(sorted(total.items())),
        "campaigns": {
            name: {"seconds": round(seconds[name], 1), **dict(sorted(counts.items()))}
            for name, counts in sorted(campaigns.items())
        },
        "mismatches": len(found),
        "died": [r for r in run.results if any(name.startswith("unit ") for name in r["counts"])][:50],
        "finds": found[:200],
    }


def markdown(numbers: Json, smallest: list[Json]) -> str:
    """Return the report as Markdown."""
    count = Counter(numbers["counts"])
    lines = [
        f"# Hunt: {numbers.get('length', '')}",
        "",
        _versions(numbers),
        "",
    ]
    if numbers["drift"]:
        lines += [f"**{numbers['drift']}**: the differences below are drift, not faults, until the pin moves.", ""]
    lines += [
        _amount(count, numbers["mismatches"]),
        "",
        "| campaign | seconds | texts | characters | specs | files | mismatches | texts/s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in numbers["campaigns"].items():
        cells = [f"{row.get(key, 0):,}" for key in ("texts", "characters", "specs", "files", "mismatches")]
        rate = row.get("texts", 0) / max(row["seconds"], 0.1)
        lines.append(f"| {name} | {row['seconds']:,} | {' | '.join(cells)} | {rate:,.0f} |")
    lines += ["", "Checks by law: " + ", ".join(f"{k[4:]} {v:,}" for k, v in count.items() if k.startswith("law ")), ""]
    known = {name[7:]: times for name, times in count.items() if name.startswith("known: ")}
    if known:
        lines += ["## Known divergences met", ""]
        lines += [f"- {name} ({times:,} times): {REASONS[name]}" for name, times in known.items()]
        lines.append("")
    if numbers["died"]:
        lines += [
            f"{len(numbers['died'])} units ended early (the oracle aborts or hangs on some specs); see the JSON.",
            "",
        ]
    for case in smallest:
        lines += [
            f"## {case['law']}, {case.get('component', '?')}",
            "",
            "```json",
            json.dumps(case, indent=1)[:3000],
            "```",
            "",
        ]
    return "\n".join(lines)


def _versions(numbers: Json) -> str:
    return (
        f"tokenizers-lite {numbers['tokenizers_lite']} against tokenizers {numbers['tokenizers']}, Python "
        f"{numbers['python']}, {numbers['worker_seconds']:,} seconds of work in {numbers['units']:,} units."
    )


def _amount(count: Counter[str], mismatches: int) -> str:
    return (
        f"{count['texts']:,} texts of {count['characters']:,} characters, {count['specs']:,} specs, "
        f"{count['files']:,} files: **{mismatches} mismatches**."
    )
