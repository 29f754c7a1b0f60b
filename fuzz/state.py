"""State: threads, forks, pickles and processes that die while they write.

Each check gives what is wrong, or None. They need no oracle: a tokenizer
shared must give what it gives alone, and a file being written must be the old
one or the new one at every moment.
"""

from __future__ import annotations

import json
import os
import pickle
import random
import subprocess
import sys
import tempfile
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuzz import specs
from fuzz.texts import Texts
from tests import paths
from tokenizers_lite import errors
from tokenizers_lite.formats import hf_json, read
from tokenizers_lite.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 64


def tokenizer(rng: random.Random) -> Tokenizer:
    """Return a tokenizer of a random spec that encodes any text."""
    while True:
        try:
            made = Tokenizer(hf_json.parse(json.dumps(specs.spec(rng)).encode()))
            made.encode("a\0é👍")
            made.encode("")
        except errors.TokenizerError:
            continue
        if not getattr(made.spec.model, "dropout", None):
            return made


def _texts(made: Tokenizer, rng: random.Random, count: int) -> list[str]:
    texts = Texts(rng, list(made.vocab())).texts(count)
    kept = []
    for text in texts:
        try:
            made.encode(text)
        except errors.TokenizerError:
            continue
        kept.append(text)
    return kept


def threads(rng: random.Random) -> str | None:
    """64 threads share one new tokenizer, each with a stream of its own."""
    made = tokenizer(rng)
    texts = _texts(made, rng, 20)
    expected = [(made.encode(text), made.decode(made.encode(text))) for text in texts]
    shared = Tokenizer(made.spec)  # its parts and caches are made while all use it
    wrong: list[str] = []
    barrier = threading.Barrier(THREADS)

    def work(number: int) -> None:
        order = random.Random(number).sample(range(len(texts)), len(texts))
        barrier.wait()
        try:
            for at in order:
                ids = shared.encode(texts[at])
                stream = shared.stream()
                text = "".join(map(stream.push, ids)) + stream.finish()
                if (ids, text) != expected[at]:
                    wrong.append(f"a thread's {texts[at]!r} gives {ids} {text!r}, not {expected[at]}")
        except Exception as err:
            wrong.append(f"a thread: {type(err).__name__}: {err}")

    running = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return wrong[0] if wrong else None


def forked(rng: random.Random) -> str | None:
    """A child made by fork encodes as its parent does, and so does the parent after it."""
    if not hasattr(os, "fork"):
        return None
    made = tokenizer(rng)
    texts = _texts(made, rng, 10)
    expected = [made.encode(text) for text in texts]
    child = os.fork()
    if child == 0:
        os._exit(int([made.encode(text) for text in texts] != expected))
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status):
        return "a forked child encodes otherwise"
    return None if [made.encode(text) for text in texts] == expected else "the parent of a fork encodes otherwise"


_UNPICKLE = """
import pickle, sys
made, texts = pickle.load(sys.stdin.buffer)
pickle.dump([made.encode(text) for text in texts], sys.stdout.buffer)
"""


def pickled(rng: random.Random) -> str | None:
    """Another process that gets the tokenizer by pickle encodes as this one does."""
    made = tokenizer(rng)
    texts = _texts(made, rng, 10)
    done = subprocess.run(
        [sys.executable, "-c", _UNPICKLE],
        input=pickle.dumps((made, texts)),
        capture_output=True,
        cwd=paths.ROOT,
        check=False,
    )
    if done.returncode:
        return f"unpickling in another process: {done.stderr.decode()[-300:]}"
    same = pickle.loads(done.stdout) == [made.encode(text) for text in texts]
    return None if same else "a pickled tokenizer encodes otherwise"


_WRITE = """
import sys
from tokenizers_lite.formats import hf_json
from vocab_converters.compact import write
from vocab_converters import convert
specs = [hf_json.read(path) for path in sys.argv[2:]]
quick = {"allow_loss": True, "whole_vocabulary": False, "manifest": False}
print("ready", flush=True)
for n in range(10**9):
    spec = specs[n % len(specs)]
    if sys.argv[1].endswith(".tokc"):
        write(spec, sys.argv[1])
    else:
        convert(spec, sys.argv[1], target="mtok", **quick)
"""


def killed(rng: random.Random, suffix: str = ".tokc") -> str | None:
    """A process killed while it writes leaves the old file or the new one, and the next one can write."""
    from fuzz.file_samples import simple

    with tempfile.TemporaryDirectory() as folder:
        sources = []
        for number in range(2):
            path = Path(folder, f"{number}.json")
            path.write_text(json.dumps(simple(rng)))
            sources.append(str(path))
        target = Path(folder, f"t{suffix}")
        command = [sys.executable, "-c", _WRITE, str(target), *sources]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=paths.ROOT) as process:
            assert process.stdout is not None
            started = process.stdout.readline()
            deadline = time.monotonic() + 20
            while not target.exists() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.005)
            time.sleep(rng.random() * 0.1)
            process.kill()
            if started != b"ready\n" or not target.exists():
                return f"the writing process did not write: {process.stderr.read()[-300:]!r}"  # type: ignore[union-attr]
        return _is_whole(target, sources)


def _is_whole(target: Path, sources: list[str]) -> str | None:
    from vocab_converters import inspect
    from vocab_converters.compact import write

    try:
        if target.suffix == ".tokc":
            found = read(str(target))
            if all(dict(found.model.vocab) != dict(read(path).model.vocab) for path in sources):  # type: ignore[attr-defined]
                return "a killed writer left a file that is neither the old nor the new one"
            write(found, str(target))
            read(str(target))
        else:
            inspect(str(target))
    except errors.TokenizerError as err:
        return f"a killed writer left {err}"
    return None


_FILL = """
import sys
from tokenizers_lite._cache import keep
def fill(folder):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        with open(folder + "/" + name, "w") as file:
            for _ in range(200):
                file.write("x" * 1000)
                file.flush()
print("ready", flush=True)
sys.stdin.readline()
print(keep(sys.argv[1], None, "here", "test", fill, pinned=False, replace=False))
"""


def cached(rng: random.Random) -> str | None:
    """Two processes fill one place of the cache while a third is killed: it ends up whole, once."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "cache", "model")
        target.parent.mkdir()
        command = [sys.executable, "-c", _FILL, str(target)]
        running = [
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=paths.ROOT
            )
            for _ in range(3)
        ]
        for process in running:
            assert process.stdout is not None
            process.stdout.readline()
        for process in running:
            assert process.stdin is not None
            process.stdin.write(b"\n")
            process.stdin.flush()
        time.sleep(rng.random() * 0.02)
        running[2].kill()
        results = [process.communicate(timeout=60) for process in running]
        for process, (_, err) in zip(running[:2], results[:2], strict=True):
            if process.returncode:
                return f"one of two processes that fill a cache: {err.decode()[-300:]}"
        for name in ("tokenizer.json", "tokenizer_config.json"):
            if not (target / name).is_file() or (target / name).stat().st_size != 200_000:
                return f"the cache holds a {name} that is not whole"
    return None


CHECKS: dict[str, Callable[[random.Random], str | None]] = {
    "threads": threads,
    "fork": forked,
    "pickle": pickled,
    "killed writer": killed,
    "killed converter": lambda rng: killed(rng, ".mtok"),
    "cache": cached,
}
if find_spec("onnxruntime") and find_spec("onnx"):
    from fuzz.exports import killed_export

    CHECKS["killed export"] = killed_export


def hunt(unit: Any, rng: random.Random, beat: Callable[[str], None]) -> None:
    """Do each check once."""
    for name, check in CHECKS.items():
        state = rng.getrandbits(64)
        beat(f"state {name}")
        unit.count(f"state {name}")
        wrong = check(random.Random(state))
        if wrong:
            unit.find({"law": f"state {name}", "input": {"state": state}}, wrong)
