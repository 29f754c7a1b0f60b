"""Coverage-guided hunting: atheris on the Python readers, libFuzzer on the C++ reader.

    python -m fuzz.guided tokenizer.json --seconds 600     a reader of `fuzz.files`, with atheris
    python -m fuzz.guided cpp-files --seconds 600          damaged compact files, with libFuzzer
    python -m fuzz.guided cpp-texts:qwen3 --seconds 600    texts on a model's file, with libFuzzer

The corpus lives under --run and is carried on. What is found is written as a
case for the store beside it (``finds.json``); the exit code is then 1. Needs
the extra ``guided`` (atheris), or clang.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from fuzz import files, native_reader

SEEDS = 40
LONGEST = 20_000


def corpus(reader: str, folder: Path) -> Path:
    """Fill a folder with small valid files of a reader, if it is empty; gives it."""
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        for number in range(SEEDS):
            made = files.READERS[reader](random.Random(number))
            (folder / f"seed-{number}").write_bytes(next(iter(made.values())))
    return folder


def libfuzzer(folder: Path) -> Path:
    """Build the C++ reader's libFuzzer target; gives the program."""
    clang = shutil.which("clang++")
    if clang is None:
        raise SystemExit("libFuzzer comes with clang: install clang++")
    made = folder / "cpp"
    defines = ["-DTKL_LIBFUZZER", "-DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION"]
    flags = [*native_reader.FLAGS, "-fsanitize=fuzzer", *defines]
    sources = [str(native_reader.SOURCES / name) for name in ("tokenizers_lite.cpp", "fuzz.cpp")]
    subprocess.run([clang, *flags, *sources, "-o", str(made)], check=True)
    return made


def hunt_native(target: str, folder: Path, seconds: int) -> list[dict[str, Any]]:
    """Run libFuzzer on files, or on texts of a model; gives the cases it found."""
    _, _, name = target.partition(":")
    environment = {**os.environ, **native_reader.OPTIONS}
    if target.startswith("cpp-texts"):
        from fuzz.models import compact_file, corpora
        from fuzz.texts import Texts

        environment["TKL_FUZZ_FILE"] = compact_file(name)
        seeds = folder / "corpus"
        seeds.mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(Texts(random.Random(1), (), (), corpora()).texts(SEEDS)):
            (seeds / f"seed-{number}").write_bytes(text.encode())
    else:
        seeds = corpus("compact", folder / "corpus")
    found = folder / "found-"
    limits = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=20", "-rss_limit_mb=2048"]
    command = [str(libfuzzer(folder)), str(seeds), f"-artifact_prefix={found}", *limits, "-print_final_stats=1"]
    subprocess.run(command, env=environment, check=False)
    return [_native_case(path, name) for path in sorted(folder.glob("found-*"))]


def _native_case(path: Path, name: str) -> dict[str, Any]:
    data = path.read_bytes()
    if name:
        text = data.decode("utf-8", "replace")
        return {"law": "cpp", "model": name, "input": {"text": text}, "wrong": f"libFuzzer: {path.name}"}
    data = files.sealed(data)
    case = {"t.tokc": base64.b64encode(data).decode()}
    return {"law": "file", "reader": "cpp", "input": case, "wrong": f"libFuzzer: {path.name}"}


def hunt_python(reader: str, folder: Path, seconds: int) -> list[dict[str, Any]]:
    """Run atheris on a reader in a process of its own; gives the cases it found."""
    seeds = corpus(reader, folder / "corpus")
    found = folder / "found-"
    command = [sys.executable, "-m", "fuzz.guided", "--inside", reader, str(seeds), f"-artifact_prefix={found}"]
    command += [f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=20", "-rss_limit_mb=2048"]
    subprocess.run(command, check=False)
    cases = []
    for path in sorted(folder.glob("found-*")):
        case: dict[str, Any] = {"law": "file", "reader": reader}
        case["input"] = {_name(reader): base64.b64encode(_sealed(reader, path.read_bytes())).decode()}
        cases.append({**case, "wrong": files.check(case) or f"atheris: {path.name}"})
    return cases


def _name(reader: str) -> str:
    return next(iter(files.READERS[reader](random.Random(0))))


def _sealed(reader: str, data: bytes) -> bytes:
    return files.sealed(data) if reader == "compact" else data


def inside(reader: str, arguments: list[str]) -> None:
    """Hand the reader to atheris, which never comes back."""
    import atheris  # type: ignore[import-not-found,unused-ignore]

    # What was imported to get here is instrumented anew; the rest as it is imported.
    for module in [name for name in sys.modules if name.startswith(("tokenizers_lite", "vocab_converters"))]:
        del sys.modules[module]
    name, folder = _name(reader), tempfile.mkdtemp()
    for module in [name for name in sys.modules if name.startswith(("tokenizers_lite", "vocab_converters"))]:
        del sys.modules[module]
    with atheris.instrument_imports(include=["tokenizers_lite", "vocab_converters"]):
        files.attempt(reader, files.READERS[reader](random.Random(1)), folder)

    def one(data: bytes) -> None:
        files.attempt(reader, {name: _sealed(reader, data)}, folder)

    atheris.Setup([sys.argv[0], *arguments], one)
    atheris.Fuzz()


def main() -> int:
    """Do what the command line asks."""
    if sys.argv[1:2] == ["--inside"]:
        inside(sys.argv[2], sys.argv[3:])
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", help=f"{', '.join(files.READERS)}, cpp-files or cpp-texts:MODEL")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--run", type=Path, help="folder of the corpus (default: fuzz/runs/guided-TARGET)")
    args = parser.parse_args()
    folder = args.run or Path(__file__).parent / "runs" / f"guided-{args.target.replace(':', '-')}"
    folder.mkdir(parents=True, exist_ok=True)
    hunt = hunt_native if args.target.startswith("cpp-") else hunt_python
    cases = hunt(args.target, folder, args.seconds)
    (folder / "finds.json").write_text(json.dumps(cases, indent=1) + "\n", "utf-8")
    print(f"{len(cases)} finds; corpus and finds in {folder}")
    return int(bool(cases))


if __name__ == "__main__":
    sys.exit(main())
