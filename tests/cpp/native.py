"""Builds the C++ reader's command line and talks to it."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[2] / "vocab_converters" / "cpp"
STRICT = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-fno-exceptions", "-fno-rtti"]
SANITIZED = ["-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]


def compiler(wanted: str | None = None) -> str:
    """Return the compiler wanted, or any C++ compiler, or skip the test."""
    for name in (wanted,) if wanted else (os.environ.get("CXX"), "g++", "clang++", "c++"):
        if name and shutil.which(name):
            return name
    pytest.skip(f"needs {wanted or 'a C++17 compiler (g++ or clang++, or set CXX)'}")


def build(folder: Path, program: str = "cli.cpp", flags: list[str] = SANITIZED, cxx: str | None = None) -> Path:
    """Compile a program with the reader and return its path."""
    made = folder / program.partition(".")[0]
    command = [
        compiler(cxx),
        *STRICT,
        *flags,
        str(SOURCES / "tokenizers_lite.cpp"),
        str(SOURCES / program),
        "-o",
        str(made),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return made


class Native:
    """The reader at work on one file, in a process of its own."""

    def __init__(self, program: Path, file: Path) -> None:
        self._process = subprocess.Popen([program, file, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def close(self) -> None:
        self._process.stdin.close()
        assert self._process.wait() == 0
        self._process.stdout.close()

    def _ask(self, operation: bytes, flags: int, count: int, data: bytes, item: int) -> bytes:
        self._process.stdin.write(struct.pack("<cBI", operation, flags, count) + data)
        self._process.stdin.flush()
        head = self._process.stdout.read(4)
        assert len(head) == 4, "the reader died"
        return self._process.stdout.read(item * struct.unpack("<I", head)[0])

    def encode(self, text: str, *, special: bool = True, plain: bool = False) -> list[int]:
        flags = special | plain << 1
        units = text.encode("utf-16-le", "surrogatepass")
        ids = _ids(self._ask(b"u", flags, len(units) // 2, units, 4))
        if not any("\ud800" <= char <= "\udfff" for char in text):
            assert self.encode_bytes(text.encode(), flags) == ids
        return ids

    def encode_bytes(self, data: bytes, flags: int = 1) -> list[int]:
        return _ids(self._ask(b"e", flags, len(data), data, 4))

    def decode(self, ids: list[int], skip: bool) -> str:
        """Decode at once and as a stream, which must be the same."""
        packed = struct.pack(f"<{len(ids)}i", *ids)
        text = self._ask(b"d", skip, len(ids), packed, 1)
        assert self._ask(b"s", skip, len(ids), packed, 1) == text
        return text.decode()


def _ids(data: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(data) // 4}i", data))
