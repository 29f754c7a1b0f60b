"""The C++ reader against Python: texts on real models, random specs, and damaged files.

The reader is built with the address and undefined-behaviour sanitizers, which
end its process at the first fault, so a process that ends is a find.
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

from fuzz import laws
from fuzz.texts import Texts
from tests import paths

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Sequence

    from tokenizers_lite.tokenizer import Tokenizer

    Json = dict[str, Any]
    Pair = tuple["Reader", Tokenizer]

SOURCES = paths.ROOT / "vocab_converters" / "cpp"
FLAGS = ["-std=c++17", "-O1", "-g", "-fno-exceptions", "-fno-rtti", "-fsanitize=address,undefined"]
FLAGS += ["-fno-sanitize-recover=undefined"]
# No more memory for one file than the Python readers may take, and no more seconds.
OPTIONS = {
    "ASAN_OPTIONS": "max_allocation_size_mb=512:allocator_may_return_null=0:detect_leaks=1",
    "UBSAN_OPTIONS": "print_stacktrace=0",
}
SECONDS = 60
TEXTS_A_UNIT = 4000
SPECS_A_UNIT = 20
TEXTS_A_SPEC = 30
FILES_A_CALL = 100
_BATCH = 500
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
        return _gist(self._stderr.read())

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


def _gist(stderr: bytes) -> str:
    """Return what a process wrote; of a sanitizer's pages, what is wrong and where."""
    text = stderr.decode("utf-8", "replace")
    if "Sanitizer" not in text and "runtime error" not in text:
        return text[-800:]
    ours = ("ERROR:", "runtime error", "SUMMARY", "tokenizers_lite.cpp:")
    return "\n".join([line.strip() for line in text.splitlines() if any(word in line for word in ours)][:8])


def _ids(data: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(data) // 4}i", data))


def differs(reader: Reader, mine: Tokenizer, text: str, flags: int = ADD) -> str | None:
    """Return what the C++ reader gives for a text, and for its ids, that Python does not."""
    allowed: Any = () if flags & PLAIN else "all"
    found = laws.ours(lambda: mine.encode(text, add_special_tokens=bool(flags & ADD), allowed_special=allowed))
    if found[0] != "value":
        return None  # such as a text that needs an unknown token the file does not have
    ids = found[1]
    native = reader.encode([text], flags)[0]
    if native != ids:
        return f"C++ ids: C++ {native}, Python {ids}"[:600]
    if not any("\ud800" <= char <= "\udfff" for char in text):
        native = reader.encode_bytes([text.encode()], flags)[0]
        if native != ids:
            return f"C++ ids of UTF-8: C++ {native}, Python {ids}"[:600]
    for skip in (False, True):
        words = mine.decode(ids, skip_special_tokens=skip).encode()
        for stream in (False, True):
            if (decoded := reader.decode([ids], skip, stream)[0]) != words:
                return f"C++ decode (stream: {stream}): C++ {decoded!r}, Python {words!r}"[:600]
    return None


def still_wrong(case: Json) -> str | None:
    """Return what is wrong with a case now: a text on a model or on a spec."""
    from fuzz.models import cold, compact_file

    if "model" in case:
        return _one(compact_file(case["model"]), cold(case["model"]), case["input"])
    try:
        subject, _ = laws.load(case["spec"])
    except laws.Panic:
        return None
    if subject is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "t.tokc")
        return _one(path, subject.ours, case["input"]) if _written(subject.ours, path) else None


def _one(file: str, mine: Tokenizer, given: Json) -> str | None:
    with Reader(file) as reader:
        try:
            wrong = None if reader.refused() else differs(reader, mine, given["text"], given.get("flags", ADD))
        except Died as end:
            return f"C++ reader died: {end}"
        return wrong


def _written(mine: Tokenizer, path: str) -> bool:
    from vocab_converters.compact import write

    return laws.ours(lambda: write(mine.spec, path, index=False))[0] == "value"


# ---------------------------------------------------------------- units


def hunt(unit: Any, rng: random.Random, name: str, beat: Callable[[str], None]) -> None:
    """Do a unit on a model's file, or on random specs if `name` is empty."""
    if not name:
        for number in range(SPECS_A_UNIT):
            beat(f"spec {number}")
            _hunt_spec(unit, rng)
        return
    from fuzz.models import compact_file, corpora, sources, warm

    beat(f"loading {name}")
    source = Texts(rng, *sources(name), corpora())
    mine = warm(name)
    with Reader(compact_file(name)) as reader:
        for start in range(0, TEXTS_A_UNIT, _BATCH):
            beat(f"texts from {start}")
            texts = source.texts(_BATCH)
            if start == 0:
                texts += [source.any_text() for _ in range(100)]
                texts += [source.long_text(source.near(128, 5000)) for _ in range(3)]
            flags = rng.choice((ADD, ADD, 0, ADD | PLAIN, PLAIN))
            if not _batch(unit, (reader, mine), texts, flags, {"model": name}):
                return
        if said := reader.finish():
            unit.find({"law": "cpp", "model": name, "input": {"text": ""}}, f"C++ reader ended with {said}")


def _batch(unit: Any, pair: Pair, texts: list[str], flags: int, where: Json) -> bool:
    """Compare a batch; tell whether the reader lives."""
    reader, mine = pair
    allowed: Any = () if flags & PLAIN else "all"
    unit.count("texts", len(texts))
    unit.count("characters", sum(map(len, texts)))
    unit.count("law cpp ids", len(texts))
    expected = [mine.encode(text, add_special_tokens=bool(flags & ADD), allowed_special=allowed) for text in texts]
    suspects = []
    try:
        native = reader.encode(texts, flags)
        suspects = [at for at, ids in enumerate(native) if ids != expected[at]]
        suspects += _share(unit, pair, texts, expected, flags)
    except Died as end:
        for text in texts:
            case = {"law": "cpp", **where, "input": {"text": text, "flags": flags}}
            if (wrong := still_wrong(case)) is not None:
                unit.find(case, wrong)
                return False
        unit.find({"law": "cpp", **where, "input": {"text": texts[0], "flags": flags}}, f"C++ reader died: {end}")
        return False
    for at in suspects:
        wrong = differs(reader, mine, texts[at], flags) or "C++: differs in a batch only"
        unit.find({"law": "cpp", **where, "input": {"text": texts[at], "flags": flags}}, wrong)
    return True


def _share(unit: Any, pair: Pair, texts: list[str], expected: list[list[int]], flags: int) -> list[int]:
    """Try UTF-8 and decoding on some of a batch; return those that differ."""
    reader, mine = pair
    plain = [at for at in range(0, len(texts), 3) if not any("\ud800" <= char <= "\udfff" for char in texts[at])]
    native = reader.encode_bytes([texts[at].encode() for at in plain], flags)
    suspects = [at for at, ids in zip(plain, native, strict=True) if ids != expected[at]]
    for skip in (False, True):
        some = range(int(skip), len(texts), 4)
        words = [mine.decode(expected[at], skip_special_tokens=skip).encode() for at in some]
        for stream in (False, True):
            decoded = reader.decode([expected[at] for at in some], skip, stream)
            suspects += [at for at, a, b in zip(some, decoded, words, strict=True) if a != b]
        unit.count("law cpp decode", 2 * len(some))
    unit.count("law cpp UTF-8", len(plain))
    return suspects


def _hunt_spec(unit: Any, rng: random.Random) -> None:
    """Make a spec, write it as a compact file, and compare both readers on a few texts."""
    from fuzz import specs

    spec = specs.spec(rng)
    try:
        subject, _ = laws.load(spec)
    except laws.Panic:
        return
    if subject is None or getattr(subject.ours.spec.model, "dropout", None):
        return
    unit.count("specs")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "t.tokc")
        if not _written(subject.ours, path):
            unit.count("not written")
            return
        with Reader(path) as reader:
            try:
                _try_spec(unit, rng, reader, subject.ours, spec)
            except Died as end:
                unit.find({"law": "cpp", "spec": spec, "input": {"text": ""}}, f"C++ reader died: {end}")


def _try_spec(unit: Any, rng: random.Random, reader: Reader, mine: Tokenizer, spec: Json) -> None:
    from fuzz import specs

    if reader.refused():
        unit.count("refused by C++")
        return
    unit.count("read by both")
    source = Texts(rng, [token.replace("Ġ", " ") for token in mine.vocab()], specs.SPECIALS)
    for number in range(TEXTS_A_SPEC):
        text = source.any_text() if number % 5 == 4 else source.text()[:300]
        flags = rng.choice((ADD, 0, PLAIN))
        unit.count("texts")
        unit.count("characters", len(text))
        unit.count("law cpp ids")
        case = {"law": "cpp", "spec": spec, "input": {"text": text, "flags": flags}}
        try:
            wrong = differs(reader, mine, text, flags)
        except Died as end:
            unit.find(case, f"C++ reader died: {end}")
            return
        if wrong:
            unit.find(case, wrong)
    if said := reader.finish():
        unit.find({"law": "cpp", "spec": spec, "input": {"text": ""}}, f"C++ reader ended with {said}")


# ---------------------------------------------------------------- damaged files


def attempt(files: Sequence[bytes], folder: str) -> list[tuple[int, str]]:
    """Give damaged files to the reader; return (number, what it did) of those at which its process ended."""
    names = []
    for number, data in enumerate(files):
        names.append(os.path.join(folder, f"{number}.tokc"))
        Path(names[-1]).write_bytes(data)
    if _run(names) is None:
        return []
    return [(number, said) for number, name in enumerate(names) if (said := _run([name])) is not None]


def _run(names: list[str]) -> str | None:
    command = [program("fuzz.cpp"), *names]
    try:
        done = subprocess.run(command, env={**os.environ, **OPTIONS}, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"C++ reader takes more than {SECONDS} s for {len(names)} files"
    return None if done.returncode == 0 else _gist(done.stderr) or f"exit {done.returncode}"


def hunt_files(unit: Any, rng: random.Random, count: int, beat: Callable[[str], None]) -> None:
    """Read damaged compact files."""
    import base64

    from fuzz.files import damaged

    seed = rng.getrandbits(32)
    with tempfile.TemporaryDirectory() as folder:
        for first in range(0, count, FILES_A_CALL):
            beat(f"compact files for C++ from {first}")
            files = [damaged("compact", seed, number)["t.tokc"] for number in range(first, first + FILES_A_CALL)]
            unit.count("files", len(files))
            for number, said in attempt(files, folder):
                data = base64.b64encode(files[number]).decode()
                unit.find({"law": "file", "reader": "cpp", "input": {"t.tokc": data}}, f"C++ reader: {said}")
