"""The C++ reader (`native_reader`) against Python: texts on real models, random specs, and damaged files."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuzz import laws
from fuzz.native_reader import ADD, OPTIONS, PLAIN, SECONDS, Died, Reader, gist, program
from fuzz.texts import Texts

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from tokenizers_lite.tokenizer import Tokenizer

    Json = dict[str, Any]
    Pair = tuple["Reader", Tokenizer]

TEXTS_A_UNIT = 4000
SPECS_A_UNIT = 20
TEXTS_A_SPEC = 30
FILES_A_CALL = 100
_BATCH = 500


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
    from fuzz import spec_models

    if reader.refused():
        unit.count("refused by C++")
        return
    unit.count("read by both")
    source = Texts(rng, [token.replace("Ġ", " ") for token in mine.vocab()], spec_models.SPECIALS)
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
    return None if done.returncode == 0 else gist(done.stderr) or f"exit {done.returncode}"


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
