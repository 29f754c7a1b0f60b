"""Hold the C++ reader against Python: every model, whole corpora, many random texts.

    python -m tests.cpp.full [--texts 2000] [--bytes 300000] [model ...]

Prints one line a model; the exit code is the number of models that differ.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.cpp.native import Native, build
from tests.paths import SHARED, models
from tests.strategies import any_texts
from tokenizers_lite.formats import read
from tokenizers_lite.tokenizer import Tokenizer
from vocab_converters import compact


def fragments(tokenizer: Tokenizer) -> list[str]:
    """Return texts made of the tokenizer's own parts."""
    added = [token.content for token in tokenizer.spec.added_tokens]
    rng = random.Random(1)
    ids = rng.choices(range(tokenizer.vocab_size), k=600)
    return rng.sample(added, min(60, len(added))) + [tokenizer.decode([id_], skip_special_tokens=False) for id_ in ids]


class DifferenceError(Exception):
    """The two do not agree."""


def check(native: Native, tokenizer: Tokenizer, text: str, special: bool, plain: bool) -> int:
    """Compare ids and their texts; return the number of ids."""
    allowed = () if plain else "all"
    want = tokenizer.encode(text, add_special_tokens=special, allowed_special=allowed)
    got = native.encode(text, special=special, plain=plain)
    if got != want:
        at = next((i for i, (a, b) in enumerate(zip(got, want, strict=False)) if a != b), min(len(got), len(want)))
        raise DifferenceError(f"encode {text[:80]!r} ({len(text)}): at {at} {got[at : at + 8]} for {want[at : at + 8]}")
    for skip in (True, False):
        if native.decode(want, skip) != tokenizer.decode(want, skip_special_tokens=skip):
            raise DifferenceError(f"decode {want[:40]} skip={skip}")
    return len(want)


def corpus_texts(limit: int) -> list[str]:
    """Return documents of all corpora, `limit` characters of each."""
    texts = []
    for path in sorted((SHARED / "corpora").glob("*.txt")):
        text = path.read_text("utf-8")
        step = max(len(text) // max(limit // 8000, 1), 8000)
        texts += [text[at : at + 8000] for at in range(0, len(text), step)]
    return texts


def compare(model: str, program: Path, folder: Path, texts: int, limit: int, stored: Path | None) -> str:
    """Compare one model; return what was seen."""
    started = time.process_time()
    tokenizer = Tokenizer(read(str(SHARED / "vocab" / model)))
    path = stored / f"{model}.tokc" if stored else folder / f"{model}.tokc"
    if not path.exists():
        path.write_bytes(compact.dumps(tokenizer.spec))
    native = Native(program, path)
    assert native.decode([], True) == ""
    rng = random.Random(2)
    count = 0
    for text in corpus_texts(limit):
        count += check(native, tokenizer, text, rng.random() < 0.5, False)
    parts = fragments(tokenizer)
    seen = 0

    @seed(3)
    @settings(
        max_examples=texts,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(any_texts(parts))
    def law(text: str) -> None:
        nonlocal seen
        seen += 1
        check(native, tokenizer, text, rng.random() < 0.5, rng.random() < 0.3)

    law()
    for _ in range(texts // 2):
        ids = rng.choices(range(-2, tokenizer.vocab_size + 3), k=rng.randint(1, 30))
        for skip in (True, False):
            if native.decode(ids, skip) != tokenizer.decode(ids, skip_special_tokens=skip):
                raise DifferenceError(f"decode {ids} skip={skip}")
    native.close()
    return f"{count} tokens of corpora, {seen} random texts, equal ({time.process_time() - started:.0f} s)"


def main() -> int:
    """Compare the models named, or all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="*", default=models())
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--bytes", type=int, default=300_000)
    parser.add_argument("--program", type=Path)
    parser.add_argument("--stored", type=Path, help="folder of compact files to use")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = options.program or build(folder, flags=["-O2"])
        for model in options.models:
            try:
                result = compare(model, program, folder, options.texts, options.bytes, options.stored)
            except DifferenceError as exc:
                failed += 1
                result = f"DIFFERS: {exc}"
            print(f"{model:32} {result}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
