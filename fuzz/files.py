"""Damaged files: every reader may raise only its typed errors, in bounded time and memory.

The files are read in a process of their own (``python -m fuzz.files READER
SEED COUNT``), which has a memory limit; the unit of work waits for it, and a
file that takes too long, kills the process or raises anything else is a find.
"""

from __future__ import annotations

import base64
import contextlib
import json
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuzz.file_samples import PATTERN, READERS, REAL, TEXT, smallest_real
from tests import paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Json = dict[str, Any]

FILES_A_UNIT = 2000
SECONDS_A_FILE = 5
MEMORY = 512 << 20  # above what the process has when it starts
NUMBERS = [
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    0x7FFFFFFFFFFFFFFF,
    (1 << 64) - 1,
]
DIGITS = [b"0", b"-1", b"99999999999", b"1e999", b"4294967296", b"18446744073709551616", b"1.5", b"\xd9\xa3", b""]


# ---------------------------------------------------------------- damage


def mutate(rng: random.Random, data: bytes) -> bytes:
    """Return `data` with a few changes of the kinds that break readers."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(changed) + 1)
        kind = rng.randrange(9)
        if kind == 0:
            changed[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 1 and at < len(changed):
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            del changed[at:]
        elif kind == 3:
            del changed[at : at + rng.choice((1, 2, 4, 8, 100))]
        elif kind == 4:
            changed[at:at] = changed[at : at + rng.choice((1, 4, 16, 200))] * rng.choice((1, 1, 50))
        elif kind == 5:
            size = rng.choice((1, 2, 4, 8))
            number = rng.choice(NUMBERS) & ((1 << 8 * size) - 1)
            changed[at : at + size] = number.to_bytes(size, rng.choice(("little", "big")))
        elif kind == 6:
            _change_number(rng, changed)
        elif kind == 7:
            changed[at:at] = rng.choice(
                (b"[" * 300, b"\0", b"\xff\xfe", b"\xed\xa0\x80", b'"', b"\n\n", b"\\ud800", b"{")
            )
        else:
            start = rng.randrange(len(changed) + 1)
            changed[at : at + 20] = changed[start : start + 20]
    return bytes(changed)


def _change_number(rng: random.Random, data: bytearray) -> None:
    """Put another number in the place of one written in digits."""
    digits = [i for i, byte in enumerate(data[:5000]) if 48 <= byte < 58]
    if digits:
        start = end = rng.choice(digits)
        while end < len(data) and 48 <= data[end] < 58:
            end += 1
        data[start:end] = rng.choice(DIGITS)


def sealed(data: bytes) -> bytes:
    """Return a compact file with its checksums made right, so that damage gets past them; itself if it has no table."""
    changed = bytearray(data)
    with contextlib.suppress(struct.error, OverflowError):
        (count,) = struct.unpack_from("<I", changed, 12)
        struct.pack_into("<Q", changed, 16, len(changed))
        for at in range(32, 32 + 24 * min(count, 64), 24):
            offset, size = struct.unpack_from("<QQ", changed, at + 8)
            if offset + size <= len(changed):
                struct.pack_into("<I", changed, at + 4, zlib.crc32(changed[offset : offset + size]))
        struct.pack_into("<I", changed, 24, zlib.crc32(changed[32 : 32 + 24 * min(count, 64)]))
    return bytes(changed)


def damaged(reader: str, seed: int, number: int) -> dict[str, bytes]:
    """Return the files of one case."""
    rng = random.Random(f"{reader} {seed} {number}")
    real = smallest_real(reader) if number % 400 == 399 else None
    samples = random.Random(f"{reader} {seed} {number // 25}")  # many changes of each sample
    files = _sample(reader, samples.getrandbits(64)) if real is None else {REAL[reader]: real}
    name = rng.choice(list(files)) if rng.random() < 0.3 else next(iter(files))
    changed = mutate(rng, files[name])
    return {**files, name: sealed(changed) if reader == "compact" and rng.random() < 0.8 else changed}


@lru_cache(maxsize=2)
def _sample(reader: str, state: int) -> dict[str, bytes]:
    return READERS[reader](random.Random(state))


# ---------------------------------------------------------------- reading, in a process of its own


def attempt(reader: str, files: dict[str, bytes], folder: str) -> str:
    """Read files as a user would; gives "read" or "refused", raises what nobody should see."""
    from tokenizers_lite import errors, formats
    from tokenizers_lite.tokenizer import Tokenizer

    for name, data in files.items():
        Path(folder, name).write_bytes(data)
    first = Path(folder, next(iter(files)))
    try:
        if reader in ("mtok", "mnn-text"):
            from vocab_converters import inspect

            inspect(str(first))
            return "read"
        if reader == "tiktoken":
            from tokenizers_lite.formats import tiktoken

            spec = tiktoken.read(str(first), pattern=PATTERN)
        else:
            spec = formats.read(str(first) if reader in ("compact", "gguf", "sentencepiece") else folder)
        tokenizer = Tokenizer(spec)
        tokenizer.decode(tokenizer.encode(TEXT))
    except (errors.TokenizerError, OSError):
        return "refused"
    finally:
        for name in files:
            Path(folder, name).unlink()
    return "read"


def check(case: Json) -> str | None:
    """Return what is wrong with a case of the regression store: an error of no type of ours, or a death in C++."""
    files = {name: base64.b64decode(data) for name, data in case["input"].items()}
    with tempfile.TemporaryDirectory() as folder:
        if case["reader"] == "cpp":
            from fuzz import native

            return next((said for _, said in native.attempt(list(files.values()), folder)), None)
        try:
            attempt(case["reader"], files, folder)
        except Exception as err:
            return f"{type(err).__name__}: {err} at {_place(err)}"
    return None


def _limit() -> None:
    """Bound the memory of this process."""
    import resource

    with open("/proc/self/statm", encoding="ascii") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, now + MEMORY))


def _alarm(*_: object) -> None:
    raise TimeoutError("too slow")  # an OSError, so the caller looks at the clock


def main(reader: str, seed: int, first: int, count: int) -> None:
    """Read damaged files; print a line of JSON about each."""
    damaged(reader, seed, 0)  # trains and imports what is needed before memory is bounded
    with contextlib.suppress(Exception):
        _limit()
    signal.signal(signal.SIGALRM, _alarm)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, first + count):
            print(json.dumps([number, "start"]), flush=True)
            files = damaged(reader, seed, number)
            start = time.perf_counter()
            signal.alarm(SECONDS_A_FILE)
            try:
                outcome = attempt(reader, files, folder)
            except BaseException as err:
                outcome = f"{type(err).__name__}: {str(err)[:200]} at {_place(err)}"
            signal.alarm(0)
            if time.perf_counter() - start > SECONDS_A_FILE * 0.9:
                outcome = f"took {time.perf_counter() - start:.1f} s"
            print(json.dumps([number, outcome]), flush=True)


def _place(err: BaseException) -> str:
    """Return the file and line that an exception comes from."""
    trace = err.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"


# ---------------------------------------------------------------- the unit


def hunt(unit: Any, rng: random.Random, reader: str, beat: Callable[[str], None]) -> None:
    """Read a unit's files in a process of its own, and again from where it died; or with the C++ reader."""
    if reader == "cpp":
        from fuzz import native

        native.hunt_files(unit, rng, FILES_A_UNIT, beat)
        return
    seed, first = rng.getrandbits(32), 0
    while first < FILES_A_UNIT:
        beat(f"{reader} files from {first}")
        last, outcome = first, "start"
        for number, outcome in _outcomes(reader, seed, first, beat):
            last = number
            if outcome in ("read", "refused"):
                unit.count("files")
                unit.count(outcome)
            elif outcome != "start":
                unit.count("files")
                unit.find(_case(reader, seed, number), outcome)
        if outcome == "start":
            unit.count("files")
            unit.find(_case(reader, seed, last), "the reading process died or hung")
        first = last + 1


def _case(reader: str, seed: int, number: int) -> Json:
    files = {name: base64.b64encode(data).decode() for name, data in damaged(reader, seed, number).items()}
    return {"law": "file", "reader": reader, "input": files if sum(map(len, files.values())) < 200_000 else {}}


def _outcomes(reader: str, seed: int, first: int, beat: Callable[[str], None]) -> Iterator[tuple[int, str]]:
    """Yield (number, outcome) as the process tells them, until it ends; kill it if it falls silent."""
    command = [sys.executable, "-m", "fuzz.files", reader, str(seed), str(first), str(FILES_A_UNIT - first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=paths.ROOT) as process:
        assert process.stdout is not None
        import threading

        silence = threading.Timer(60, process.kill)
        silence.start()
        for line in process.stdout:
            number, outcome = json.loads(line)
            silence.cancel()
            silence = threading.Timer(4 * SECONDS_A_FILE, process.kill)
            silence.start()
            beat(f"{reader} file {number}")
            yield number, outcome
        silence.cancel()


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
