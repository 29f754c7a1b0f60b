"""The C++ reader in a process of its own: built with sanitizers, asked by pipe.

The address and undefined-behaviour sanitizers end the process at the first fault, so a process that ends is a find.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import struct
import subprocess
import tempfile
import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SOURCES = paths.ROOT / "vocab_converters" / "cpp"
FLAGS = ["-std=c++17", "-O1", "-g", "-fno-exceptions", "-fno-rtti", "-fsanitize=address,undefined"]
FLAGS += ["-fno-sanitize-recover=undefined"]
# No more memory for one file than the Python readers may take, and no more seconds.
OPTIONS = {
    "ASAN_OPTIONS": "max_allocation_size_mb=512:allocator_may_return_null=0:detect_leaks=1",
    "UBSAN_OPTIONS": "print_stacktrace=0",
}
SECONDS = 60
ADD, PLAIN = 1, 2


class Died(Exception):  # noqa: N818 - an outcome
    """The reader's process ended; the message is the end of what it wrote."""


def compiler() -> str | None:
    """Return a C++ compiler, None if there is none."""
    names = (os.environ.get("CXX"), "clang++", "g++", "c++")  # clang builds in two thirds of the time
    return next((name for name in names if name and shutil.which(name)), None)


@lru_cache(maxsize=4)
def program(source: str = "cli.cpp") -> Path:
    """Return a sanitized program of the reader, built once for its sources."""
    found = compiler()
    if found is None:
        raise FileNotFoundError("needs a C++17 compiler (g++ or clang++, or set CXX)")
    files = [SOURCES / name for name in ("tokenizers_lite.cpp", "tokenizers_lite.hpp", source)]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files) + " ".join([found, *FLAGS]).encode())
    folder = Path(tempfile.gettempdir()) / f"tokenizers-lite-fuzz-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    made = folder / f"{source.partition('.')[0]}-{digest.hexdigest()[:16]}"
    if not made.exists():
        building = made.with_suffix(f".{os.getpid()}")
        command = [found, *FLAGS, str(files[0]), str(files[2]), "-o", str(building)]
        subprocess.run(command, check=True, capture_output=True)
        building.replace(made)
    return made


class Reader:
    """The reader at work on one file: requests go out together, answers come back in order."""

    def __init__(self, file: str) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self._stderr}
        environment = {**os.environ, **OPTIONS}
        self._process = subprocess.Popen([program(), file, "serve"], env=environment, **pipes)

    def __enter__(self) -> Reader:  # noqa: PYI034 - Self is of Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._stderr):
            assert pipe is not None
            with contextlib.suppress(OSError):  # what was not written any more
                pipe.close()

    def finish(self) -> str | None:
        """End the process in peace; return what it says if it ends with a fault (a leak, too)."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return None if self._process.wait(SECONDS) == 0 else self.said()

    def refused(self) -> bool:
        """Tell whether the file is refused, by asking for nothing.

        Raises:
            Died: the process ended in another way.
        """
        try:
            self.encode([""], 0)
        except Died as end:
            if self._process.wait() == 1 and "Sanitizer" not in str(end) and str(end).strip():
                return True
            raise
        return False

    def said(self) -> str:
        """Return the end of what the process wrote to its standard error."""
        self._stderr.seek(0)
        return gist(self._stderr.read())

    def ask(self, requests: Iterable[tuple[bytes, int, int, bytes]], item: int) -> list[bytes]:
        """Send (operation, flags, count, data) of each request and return the answers.

        Raises:
            Died: the process ended, or was silent for too long and was killed.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        packed = [struct.pack("<cBI", kind, flags, count) + data for kind, flags, count, data in requests]
        writing = threading.Thread(target=self._write, args=(b"".join(packed),), daemon=True)
        silence = threading.Timer(SECONDS, self._process.kill)
        writing.start()
        silence.start()
        try:
            return [self._answer(item) for _ in packed]
        finally:
            silence.cancel()

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # whoever reads the answers sees that it ended
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def _answer(self, item: int) -> bytes:
        assert self._process.stdout is not None
        head = self._process.stdout.read(4)
        size = item * struct.unpack("<I", head)[0] if len(head) == 4 else 0
        data = self._process.stdout.read(size)
        if len(head) < 4 or len(data) < size:
            self._process.wait(SECONDS)
            raise Died(self.said())
        return data

    def encode(self, texts: Sequence[str], flags: int) -> list[list[int]]:
        """Encode UTF-16, which holds any `str`."""
        units = [text.encode("utf-16-le", "surrogatepass") for text in texts]
        return list(map(_ids, self.ask([(b"u", flags, len(data) // 2, data) for data in units], 4)))

    def encode_bytes(self, texts: Sequence[bytes], flags: int) -> list[list[int]]:
        """Encode UTF-8, or what is to be read as UTF-8."""
        return list(map(_ids, self.ask([(b"e", flags, len(data), data) for data in texts], 4)))

    def decode(self, lists: Sequence[list[int]], skip: bool, stream: bool) -> list[bytes]:
        """Decode lists of ids, at once or one by one."""
        kind = b"s" if stream else b"d"
        return self.ask([(kind, skip, len(ids), struct.pack(f"<{len(ids)}i", *ids)) for ids in lists], 1)


def gist(stderr: bytes) -> str:
    """Return what a process wrote; of a sanitizer's pages, what is wrong and where."""
    text = stderr.decode("utf-8", "replace")
    if "Sanitizer" not in text and "runtime error" not in text:
        return text[-800:]
    ours = ("ERROR:", "runtime error", "SUMMARY", "tokenizers_lite.cpp:")
    return "\n".join([line.strip() for line in text.splitlines() if any(word in line for word in ours)][:8])


def _ids(data: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(data) // 4}i", data))
