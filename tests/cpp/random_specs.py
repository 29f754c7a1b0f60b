"""Hold the C++ reader against Python on random tokenizers: every component and option.

    python -m tests.cpp.random_specs [--count 2000] [--seed 1] [--program PATH]

A file must be refused as not supported, or give Python's ids and texts.
Prints how many were taken and why others were not.
"""

import argparse
import contextlib
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from fuzz import specs
from fuzz.texts import Texts
from tests.cpp.native import Native, build
from tokenizers_lite.errors import TokenizerError
from tokenizers_lite.formats import hf_json
from tokenizers_lite.tokenizer import Tokenizer
from vocab_converters import compact


class DifferenceError(Exception):
    """The two do not agree."""


def compare(rng: random.Random, program: Path, folder: Path, n_texts: int = 8) -> str:
    """Make one random tokenizer and compare; return "equal" or why it was refused.

    Raises:
        DifferenceError: the reader gives something else, or dies.
    """
    made = specs.spec(rng)
    file = folder / "tokenizer.json"
    file.write_text(json.dumps(made), "utf-8")
    try:
        tokenizer = Tokenizer(hf_json.read(str(file)))
        data = compact.dumps(tokenizer.spec)
        tokenizer.encode("")
    except TokenizerError as exc:
        return f"Python: {type(exc).__name__}"
    path = folder / "x.tokc"
    path.write_bytes(data)
    done = subprocess.run([program, path], capture_output=True, text=True)
    if done.returncode == 1 and "refuses the file" in done.stderr:
        return done.stderr.partition(":")[0] + ": " + done.stderr.split('"')[1]
    if done.returncode:
        raise DifferenceError(f"exit {done.returncode}: {done.stderr[:500]}")
    vocab = sorted(filter(None, tokenizer.vocab()))
    pieces = rng.choices(vocab, k=40) if vocab else ["a"]
    source = Texts(rng, pieces, [token.content for token in tokenizer.spec.added_tokens])
    with contextlib.closing(Native(program, path)) as native:
        for _ in range(n_texts):
            _same(native, tokenizer, source.text(), rng.random() < 0.5, rng.random() < 0.3)
    return "equal"


def _same(native: Native, tokenizer: Tokenizer, text: str, special: bool, plain: bool) -> None:
    try:
        want = tokenizer.encode(text, add_special_tokens=special, allowed_special=() if plain else "all")
    except TokenizerError:
        return  # the reader has no such errors: it refuses files that may lead to them, or passes over the text
    got = native.encode(text, special=special, plain=plain)
    if got != want:
        raise DifferenceError(f"encode {text!r} special={special} plain={plain}: {got} for {want}")
    for skip in (True, False):
        if native.decode(want, skip) != tokenizer.decode(want, skip_special_tokens=skip):
            raise DifferenceError(f"decode {want} skip={skip}: {native.decode(want, skip)!r}")


def main() -> int:
    """Compare many; exit 1 at the first difference, which stays in a folder that is named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--program", type=Path)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    program = options.program or build(folder)
    seen: Counter[str] = Counter()
    number = options.seed
    try:
        for number in range(options.seed, options.seed + options.count):
            seen[compare(random.Random(number), program, folder)] += 1
    except DifferenceError as exc:
        print(f"seed {number}, {folder}: {exc}")
        return 1
    print("\n".join(f"{count:6} {what}" for what, count in seen.most_common()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
