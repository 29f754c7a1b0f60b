"""Run units in parallel workers, keep what they give, and go on where an earlier run stopped.

A run is a folder: ``run.json`` says what it is, ``units.jsonl`` holds the
result of each unit as it ends, ``report.md`` and ``report.json`` what it comes to.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from tests import paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    Json = dict[str, Any]
    Unit = tuple[str, int]

# Seconds without a sign of life after which a worker is taken for hung: the oracle does on odd specs.
SILENCE = {"specs": 30.0, "damaged": 30.0}
_LONG_SILENCE = 180.0


class Worker:
    """One process and the thread that listens to it."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        # Panics of the oracle would print a stack each.
        environment = {**os.environ, "RUST_BACKTRACE": "0", "TOKENIZERS_PARALLELISM": "false"}
        command = [sys.executable, "-m", "fuzz.worker"]
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen(command, cwd=paths.ROOT, env=environment, **pipes)
        self._said: queue.Queue[list[Any] | None] = queue.Queue()
        threading.Thread(target=self._listen, args=(self._process, self._said), daemon=True).start()

    @staticmethod
    def _listen(process: subprocess.Popen[str], said: queue.Queue[list[Any] | None]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said.put(json.loads(line))
        said.put(None)

    def do(self, campaign: str, seed: int) -> Json:
        """Do one unit; if the worker dies or hangs, say where and start it anew."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([campaign, seed]) + "\n")
        self._process.stdin.flush()
        start, beat = time.perf_counter(), "start"
        while True:
            try:
                said = self._said.get(timeout=SILENCE.get(campaign, _LONG_SILENCE))
            except queue.Empty:
                said = ["hung", None]
            if said is not None and said[0] == "beat":
                beat = said[1]
                continue
            if said is not None and said[0] == "done":
                return dict(said[1])
            how = "died" if said is None else said[0] if said[0] == "hung" else said[1]
            if said is None or said[0] == "hung":
                self.close()
                self._start()
            counts = {f"unit {how}": 1}
            seconds = round(time.perf_counter() - start, 3)
            return {"campaign": campaign, "seed": seed, "seconds": seconds, "counts": counts, "finds": [], "at": beat}

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


# Units of a campaign in a row, so that a worker keeps its model for a while.
IN_A_ROW = {"text": 18, "cpp": 8, "state": 1}
_STEP = 18


def units(
    campaigns: list[str], first: int, ended: Callable[[str], bool] = lambda _: False, *, widely: bool = False
) -> Iterator[Unit]:
    """Yield units of each campaign in turn, until all have `ended`; `widely` means one of each before the second."""
    seed = first
    while not all(map(ended, campaigns)):
        for campaign in campaigns:
            for number in range(1 if widely else IN_A_ROW.get(campaign.partition(":")[0], 4)):
                if not ended(campaign):
                    yield campaign, seed + number
        seed += _STEP


def commit() -> str:
    """Return the commit that is hunted on, with a + if files differ from it, or "?" outside of git."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=paths.ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else "?"

    return git("rev-parse", "--short=10", "HEAD") + "+" * bool(git("status", "--porcelain", "-uno"))


class Run:
    """A run in its folder."""

    def __init__(self, folder: Path, settings: Json) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._file = folder / "units.jsonl"
        about = folder / "run.json"
        if not about.exists():
            about.write_text(json.dumps(settings, indent=1) + "\n", "utf-8")
        self.settings = json.loads(about.read_text("utf-8"))
        self.results = list(self._earlier())
        self._lock = threading.Lock()
        self._commit = commit()

    def _earlier(self) -> Iterator[Json]:
        """Yield the results that are there; a line cut short by a kill is none."""
        if not self._file.exists():
            return
        data = self._file.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            self._file.write_bytes(whole)
        for line in whole.decode().splitlines():
            yield json.loads(line)

    @property
    def done(self) -> set[tuple[str, int]]:
        """The units that have been done."""
        return {(result["campaign"], result["seed"]) for result in self.results}

    @property
    def spent(self) -> float:
        """Seconds of work so far, all workers together."""
        return float(sum(result["seconds"] for result in self.results))

    def keep(self, result: Json) -> None:
        """Write a unit's result, with the commit it is of."""
        result = {**result, "commit": self._commit}
        with self._lock:
            self.results.append(result)
            with open(self._file, "a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")

    def totals(self) -> Counter[str]:
        """Return all counts together."""
        total: Counter[str] = Counter()
        for result in list(self.results):
            total.update(result["counts"])
        return total


# What the units of a campaign are counted in.
MEASURES = ("texts", "specs", "files", "conversations", "state rounds")


class Goal:
    """Tells which campaigns have done enough: `each` texts, or specs for those of specs, or files."""

    def __init__(self, run: Run, each: int) -> None:
        self._each = each
        self._had: Counter[str] = Counter()
        for result in run.results:
            self.add(result)

    def add(self, result: Json) -> None:
        """Count a unit."""
        kind = result["campaign"].partition(":")[0]
        measure = {"specs": "specs", "damaged": "specs", "files": "files", "chat": "conversations"}.get(kind, "texts")
        self._had[result["campaign"]] += result["counts"].get(measure, 0)

    def reached(self, campaign: str) -> bool:
        """Tell whether a campaign has done enough, or is one that has no goal."""
        return bool(self._each) and (self._had[campaign] >= self._each or campaign == "state")


def hunt(run: Run, campaigns: list[str], jobs: int, seconds: float, *, seed: int = 0, each: int = 0) -> None:
    """Do units until `seconds` have passed, earlier parts of the run included, or each campaign has done `each`."""
    deadline = time.monotonic() + max(seconds - run.spent / jobs, 0)
    done, goal = run.done, Goal(run, each)
    todo = (
        unit
        for unit in units(campaigns, seed, goal.reached, widely=run.settings.get("length") == "quick")
        if unit not in done
    )
    lock, workers = threading.Lock(), [Worker() for _ in range(jobs)]

    def work(worker: Worker) -> None:
        while time.monotonic() < deadline:
            with lock:
                unit = next(todo, None)
            if unit is None:
                return
            result = worker.do(*unit)
            goal.add(result)
            run.keep(result)

    running = [threading.Thread(target=work, args=(worker,), daemon=True) for worker in workers]
    show = Progress(run, deadline)
    try:
        for thread in running:
            thread.start()
        while any(thread.is_alive() for thread in running):
            show.update()
            time.sleep(0.5)
    finally:
        for worker in workers:
            worker.close()
        show.end()


class Progress:
    """One line on a terminal, a line a minute elsewhere: texts, characters, mismatches, rate."""

    def __init__(self, run: Run, deadline: float) -> None:
        self._run = run
        self._deadline = deadline
        self._start = time.monotonic()
        self._texts = run.totals()["texts"]
        self._live = sys.stderr.isatty()
        self._next = self._start

    def update(self) -> None:
        """Write how far the run is, if it is time to."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (0.5 if self._live else 60)
        sys.stderr.write(f"\r\x1b[K{self.line(now)}" if self._live else f"{self.line(now)}\n")
        sys.stderr.flush()

    def line(self, now: float) -> str:
        """Return the line."""
        total = self._run.totals()
        rate = (total["texts"] - self._texts) / max(now - self._start, 0.1)
        left = max(self._deadline - now, 0)
        return (
            f"{total['texts']:,} texts, {total['characters']:,} characters, {total['specs']:,} specs, "
            f"{total['files']:,} files, {total['mismatches']:,} mismatches, {rate:,.0f} texts/s, "
            f"{left // 60:.0f}:{left % 60:02.0f} left"
        )

    def end(self) -> None:
        """Leave the last line on the terminal."""
        if self._live:
            sys.stderr.write(f"\r\x1b[K{self.line(time.monotonic())}\n")


def finds(results: Iterable[Json]) -> list[Json]:
    """Return all finds."""
    return [find for result in results for find in result["finds"]]
