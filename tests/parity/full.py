"""Compare with `tokenizers` on everything there is; print and record the counts.

    python -m tests.parity.full [--quick] [--models qwen3 gemma-2 ...] [--jobs 2] [--record docs/parity-run.md]

Texts: (a) every corpus whole, in lines and in documents of 8 KB, (b) every
Unicode scalar alone, and between letters, between digits, after a blank and
doubled (one in sixteen of the empty planes 4 to 13), (c) random texts of
tests/strategies.py, (d) every token of the vocabulary, (e) 1 MB of one letter,
of blanks, of newlines, of random CJK, of base64. Ids are compared for all
texts, decoding and offsets for a share of (a) and (b). Of models that share
vocabulary, merges, normalizer and pre-tokenizer the first meets everything,
the others one in eight of the lines and scalars. `--quick` takes a share of
each (a few minutes for all models).
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import itertools
import json
import platform
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TYPE_CHECKING

import tokenizers
from hypothesis import HealthCheck, Phase, given, settings

import tokenizers_lite
from tests import paths
from tests.strategies import FRAGMENTS, texts
from tokenizers_lite.formats import read
from tokenizers_lite.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LAWS = ("ids", "offsets", "tokens", "decode", "decode all")


def documents(text: str, size: int = 8192) -> Iterator[str]:
    """Yield a text in pieces of `size` characters."""
    return (text[at : at + size] for at in range(0, len(text), size))


def corpus_texts(lines: float, others: float) -> Iterator[str]:
    """Yield (a): a share of the corpora's lines, a share of their documents, and the whole if that is all."""
    rng = random.Random(1)
    for name in paths.corpora():
        text = paths.shared_corpus(name)
        yield from (part for part in text.splitlines(keepends=True) if rng.random() < lines)
        yield from (part for part in documents(text) if rng.random() < others)
        if others == 1:
            yield text


def scalar_texts(share: float) -> Iterator[str]:
    """Yield (b): scalars alone, between letters, between digits, after a blank and doubled."""
    rng = random.Random(2)
    for code in range(0x110000):
        if 0xD800 <= code < 0xE000 or rng.random() >= share:
            continue
        char = chr(code)
        yield char
        # Planes 4 to 13 hold nothing: no table tells two of their code points apart.
        if not 0x40000 <= code < 0xE0000 or rng.random() < 1 / 16:
            yield from (f"a{char}b", f"1{char}2", f" {char}", char * 2)


def random_texts(count: int, extra: list[str]) -> list[str]:
    """Return (c): texts that Hypothesis makes of fragments."""
    found: list[str] = []

    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(texts(extra))
    def collect(text: str) -> None:
        found.append(text)

    collect()
    return found


def long_texts(size: int) -> Iterator[str]:
    """Yield (e): what makes naive merging quadratic."""
    rng = random.Random(3)
    yield from ("a" * size, " " * size, "\n" * size)
    yield "".join(chr(rng.randrange(0x4E00, 0x9FA6)) for _ in range(size // 3))
    yield base64.b64encode(rng.randbytes(size * 3 // 4)).decode()


class Tally:
    """What was compared, and what differed."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.texts = self.characters = 0
        self.checks = dict.fromkeys(LAWS, 0)
        self.mismatches = dict.fromkeys(LAWS, 0)
        self.examples: list[str] = []
        self.seconds = 0.0

    def check(self, law: str, equal: bool, text: str) -> None:
        """Count one comparison."""
        self.checks[law] += 1
        if not equal:
            self.mismatches[law] += 1
            if len(self.examples) < 5:
                self.examples.append(f"{law}: {text[:200]!r}")


def compare(
    ours: Tokenizer, theirs: tokenizers.Tokenizer, batch: list[str], tally: Tally, decode_every: int, offsets_every: int
) -> None:
    """Compare a batch of texts: ids of all, text of one in `decode_every`, offsets of one in `offsets_every`."""
    expected = theirs.encode_batch_fast(batch)
    for at, (text, encoding) in enumerate(zip(batch, expected, strict=True)):
        tally.texts += 1
        tally.characters += len(text)
        ids = encoding.ids
        tally.check("ids", ours.encode(text) == ids, text)
        if at % decode_every == 0:
            tally.check("decode", ours.decode(ids) == theirs.decode(ids), text)
            kept = theirs.decode(ids, skip_special_tokens=False)
            tally.check("decode all", ours.decode(ids, skip_special_tokens=False) == kept, text)
        if at % offsets_every == 0:
            mine, full = ours.encode_with_offsets(text), theirs.encode(text)
            tally.check("offsets", list(mine.offsets) == full.offsets, text)
            tally.check("tokens", list(mine.tokens) == full.tokens, text)


def batches(texts: Iterable[str], size: int = 512) -> Iterator[list[str]]:
    """Yield lists of up to `size` texts."""
    texts = iter(texts)
    while batch := list(itertools.islice(texts, size)):
        yield batch


def siblings(models: list[str]) -> dict[str, str]:
    """Return, for each model, the first one with the same normalizer, pre-tokenizer, vocabulary and merges."""
    first: dict[str, str] = {}
    found = {}
    for model in models:
        data = json.loads((paths.SHARED / "vocab" / model / "tokenizer.json").read_bytes())
        merges = [pair.split(" ") if isinstance(pair, str) else pair for pair in data["model"].get("merges") or ()]
        parts = (data["normalizer"], data["pre_tokenizer"], data["model"]["vocab"], merges)
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        found[model] = first.setdefault(digest, model)
    return found


def run(model: str, quick: bool, sibling: bool) -> Tally:
    """Compare everything for one model; one scalar in eight for one whose sibling meets them all."""
    folder = paths.SHARED / "vocab" / model
    ours = Tokenizer(read(str(folder / "tokenizer.json")), model)
    theirs = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tally = Tally(model)
    start = time.perf_counter()
    vocabulary = list(ours.vocab())
    rng = random.Random(4)
    share = 0.004 if quick else 1
    words = [token.replace("Ġ", " ").replace("▁", " ") for token in rng.sample(vocabulary, min(3000, len(vocabulary)))]
    added = [token.content for token in ours.spec.added_tokens[:400]]
    corpora = corpus_texts(share * 2, share * 2) if quick else corpus_texts(1 / 8 if sibling else 1, 1)
    # Texts, decoding of one in this many, offsets of one in this many.
    sources: list[tuple[Iterable[str], int, int]] = [
        (corpora, 1 if quick else 4, 1 if quick else 16),
        (scalar_texts(share / 8 if sibling else share), 16, 4 if quick else 64),
        (random_texts(400 if quick else 20_000, words + added), 1, 1),
        (FRAGMENTS, 1, 1),
        (rng.sample(vocabulary, len(vocabulary) // 60) if quick else vocabulary, 1, 2 if quick else 16),
        (words, 1, 2),
        (added, 1, 1),
        (long_texts(30_000 if quick else 1_000_000), 1, 8),
    ]
    for source, decode_every, offsets_every in sources:
        for batch in batches(source, 64 if source is sources[0][0] else 512):
            compare(ours, theirs, batch, tally, decode_every, offsets_every)
    tally.seconds = time.perf_counter() - start
    return tally


def table(tallies: list[Tally]) -> str:
    """Return the counts as a Markdown table."""
    rows = [
        "| model | texts | characters | ids | offsets | tokens | decode | decode all | mismatches |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for t in tallies:
        counts = " | ".join(f"{t.checks[law]:,}" for law in LAWS)
        rows.append(f"| {t.model} | {t.texts:,} | {t.characters:,} | {counts} | {sum(t.mismatches.values())} |")
    texts_, characters = sum(t.texts for t in tallies), sum(t.characters for t in tallies)
    total = " | ".join(f"{sum(t.checks[law] for t in tallies):,}" for law in LAWS)
    wrong = sum(sum(t.mismatches.values()) for t in tallies)
    rows.append(f"| **all** | {texts_:,} | {characters:,} | {total} | **{wrong}** |")
    return "\n".join(rows)


def report(tallies: list[Tally], args: argparse.Namespace) -> str:
    """Return what was compared with what, and the counts."""
    done, wanted = len(tallies), len(args.models)
    share = f"all {done}" if done == wanted else f"{done} of {wanted}"
    return (
        f"tokenizers-lite {tokenizers_lite.__version__} against tokenizers {tokenizers.__version__}, "
        f"Python {platform.python_version()}, {'quick' if args.quick else 'full'} run, "
        f"{share} models:\n\n{table(tallies)}\n"
    )


def record(tallies: list[Tally], args: argparse.Namespace) -> None:
    """Write the report to the file that was asked for, so that an interrupted run still tells what it did."""
    if args.record:
        command = f"python -m tests.parity.full{' --quick' if args.quick else ''}"
        with open(args.record, "w", encoding="utf-8") as file:
            file.write(f"# Last parity run\n\n`{command}`: {report(sorted(tallies, key=lambda t: t.model), args)}")


def main(argv: list[str] | None = None) -> int:
    """Run the comparison; the exit code is 1 if anything differed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a share of everything, in minutes")
    parser.add_argument("--models", nargs="+", default=paths.models(), help="folders of ../shared/vocab")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--record", metavar="FILE", help="write the table to FILE (Markdown)")
    args = parser.parse_args(argv)
    if not args.models:
        print(f"no models in {paths.SHARED / 'vocab'}; set TOKENIZERS_LITE_SHARED", file=sys.stderr)
        return 2
    tallies: list[Tally] = []
    first = siblings(args.models)
    with ProcessPoolExecutor(args.jobs) as pool:
        futures = {pool.submit(run, model, args.quick, first[model] != model): model for model in args.models}
        for future in as_completed(futures):
            tally = future.result()
            tallies.append(tally)
            wrong = sum(tally.mismatches.values())
            print(f"{tally.model}: {tally.texts:,} texts, {wrong} mismatches, {tally.seconds:.0f} s", file=sys.stderr)
            for example in tally.examples:
                print(f"    {example}", file=sys.stderr)
            record(tallies, args)
    print(report(tallies, args))
    return int(any(sum(t.mismatches.values()) for t in tallies))


if __name__ == "__main__":
    sys.exit(main())
