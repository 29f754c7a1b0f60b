"""Texts on real models: ids of all of them, every other law on a share.

The oracle is asked for a batch at once. Three tokenizers of ours are asked:
one that has met much text (its fast paths are prepared), a new one for each
unit (its are not), both from compact files opened by need as `load` opens
them, and the one of tokenizer.json itself.
"""

from __future__ import annotations

import os
import tempfile
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fuzz import laws
from fuzz.texts import Texts
from tests import paths
from tokenizers_lite.formats.compact import open_quick
from tokenizers_lite.tokenizer import Tokenizer

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    Json = dict[str, Any]
    Ids = list[list[int]]

TEXTS_A_UNIT = 10_000
BATCH = 1000
COLD = 200  # texts a new tokenizer is asked for
# One text in so many is tried on a law that is asked text by text.
SHARES = {"encode": 100, "pair": 400, "decode": 100, "random ids": 100, "alone": 400, "scalars": 200, "single": 10}


BUNDLED = paths.ROOT / "tokenizers_lite" / "bundled"


@lru_cache(maxsize=1)
def names() -> list[str]:
    """Return the models whose files are here; without any, those that come with the package."""
    return paths.models() or sorted(path.stem for path in BUNDLED.glob("*.tokc"))


@lru_cache(maxsize=1)
def model(name: str) -> laws.Subject:
    """Return a model; a worker keeps the last one.

    Of a bundled model the oracle reads the tokenizer.json that is written of it.
    """
    file = paths.SHARED / "vocab" / name / "tokenizer.json"
    if file.is_file():
        return laws.Subject.of_file(str(file), name)
    from tokenizers_lite.formats import read
    from vocab_converters.tokenizer_json import write_json

    spec = read(str(BUNDLED / f"{name}.tokc"))
    return laws.Subject(Tokenizer(spec, name), laws.tokenizers.Tokenizer.from_buffer(write_json(spec)[0]), name)


@lru_cache(maxsize=1)
def corpora() -> tuple[str, ...]:
    """Return the real texts to splice from."""
    return tuple(paths.shared_corpus(name) for name in paths.corpora())


@lru_cache(maxsize=1)
def sources(name: str) -> tuple[list[str], list[str]]:
    """Return (pieces, added tokens) of a model as they stand in text."""
    subject = model(name)
    vocab = subject.ours.vocab()
    tokens = sorted(vocab)
    if any("Ġ" in token for token in tokens[-2000:] + tokens[:2000]):
        decode = subject.oracle.decode
        pieces = [decode([vocab[token]], skip_special_tokens=False) for token in tokens]
    else:
        pieces = [token.replace("▁", " ").removeprefix("##") for token in tokens]
    return pieces, [token.content for token in subject.ours.spec.added_tokens]


@lru_cache(maxsize=1)
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="fuzz-")


@lru_cache(maxsize=64)
def compact_file(name: str) -> str:
    """Return the compact file of a model, written once a process."""
    from vocab_converters.compact import write

    path = os.path.join(_folder().name, f"{name}.tokc")
    write(model(name).ours.spec, path)
    return path


def cold(name: str) -> Tokenizer:
    """Return a tokenizer that has met no text, as `load` makes one of a compact file."""
    spec, start = open_quick(compact_file(name))
    return Tokenizer(spec, name, start)


@lru_cache(maxsize=1)
def warm(name: str) -> Tokenizer:
    """Return a tokenizer of the compact file that lives as long as the worker stays with the model."""
    return cold(name)


class Hunt:
    """One unit on one model.

    Args:
        unit: where counts and finds go.
        rng: what texts and choices follow from.
        name: the folder of the model.
    """

    def __init__(self, unit: Any, rng: random.Random, name: str) -> None:
        self.unit = unit
        self.rng = rng
        self.subject = model(name)
        self.source = Texts(rng, *sources(name), corpora())

    def expected(self, texts: list[str]) -> Ids:
        """Return the oracle's ids, and count the texts as tried."""
        self.unit.count("texts", len(texts))
        self.unit.count("characters", sum(map(len, texts)))
        self.unit.count("law ids", len(texts))
        return [encoding.ids for encoding in self.subject.oracle.encode_batch_fast(texts)]

    def same(self, encode: Callable[[list[str]], Ids], texts: list[str], expected: Ids, which: str) -> None:
        """Record each text whose ids differ from what is expected."""
        mine = laws.ours(lambda: encode(texts))
        if mine == ("value", expected):
            return
        ids: Sequence[Any] = mine[1] if mine[0] == "value" else [mine] * len(texts)
        for text, found, right in zip(texts, ids, expected, strict=True):
            if found != right and not self.attempt("encode", {"text": text}):
                # A new tokenizer is right: it was the state of this one, which a case cannot hold.
                self.unit.find(self._case("ids", {"text": text}), f"ids, {which}: ours {found}, theirs {right}"[:600])

    def attempt(self, law: str, given: Json) -> bool:
        """Try a law; tell whether something was found."""
        self.unit.count(f"law {law}")
        wrong = laws.check(self.subject, law, given)
        if wrong:
            self.unit.find(self._case(law, given), wrong)
        return bool(wrong)

    def _case(self, law: str, given: Json) -> Json:
        return {"law": law, "model": self.subject.name, "input": given}

    def cold(self) -> None:
        """Ask a new tokenizer, text by text, with long texts that start its fast paths in between."""
        made = cold(self.subject.name)
        texts = self.source.texts(COLD)
        for _ in range(2):
            texts.insert(self.rng.randrange(COLD), self.source.long_text(self.source.near(128, 5000)))
        if self.rng.random() < 0.1:
            texts.insert(self.rng.randrange(COLD), self.source.long_text(self.source.near(20_000, 160_000)))
        at = self.rng.randrange(len(texts))
        expected = self.expected(texts)
        self.same(lambda batch: [made.encode(text) for text in batch], texts[:at], expected[:at], "cold")
        self.same(made.encode_batch, texts[at:], expected[at:], "cold batch")
        self.unit.count("law cold", len(texts))

    def long(self) -> None:
        """Ask tokenizers that have met much for texts about as long as the thresholds of fast paths."""
        ranges = [(128, 5000)] * 3 + [(20_000, 40_000)] * (self.rng.random() < 0.25)
        ranges += [(40_000, 160_000)] * (self.rng.random() < 0.1)
        texts = [self.source.long_text(self.source.near(*sizes)) for sizes in ranges]
        expected = self.expected(texts)
        self.same(warm(self.subject.name).encode_batch, texts, expected, "warm")
        self.same(lambda batch: [self.subject.ours.encode(text) for text in batch], texts, expected, "warm json")
        self.unit.count("law long", len(texts))

    def batch(self, number: int) -> None:
        """Ask for a batch of short texts, and for a share of them by every other law."""
        texts = self.source.texts(BATCH)
        expected = self.expected(texts)
        made = self.subject.ours if number % 4 == 0 else warm(self.subject.name)
        self.same(made.encode_batch, texts, expected, "batch")
        single = slice(number % 10, None, SHARES["single"])
        self.same(lambda batch: [made.encode(text) for text in batch], texts[single], expected[single], "one by one")
        self.unit.count("law batch", len(texts[single]))
        self._decode(made, expected[number % 8 :: 8])
        self._share(texts, expected)

    def _decode(self, made: Tokenizer, ids: Ids) -> None:
        words = self.subject.oracle.decode_batch(ids, skip_special_tokens=False)
        self.unit.count("law decode", len(ids))
        for one, expected in zip(ids, words, strict=True):
            if made.decode(one, skip_special_tokens=False) != expected:
                self.attempt("decode", {"ids": one, "skip": False})

    def _share(self, texts: list[str], ids: Ids) -> None:
        rng, size = self.rng, self.subject.ours.vocab_size + 5

        def some(law: str) -> list[int]:
            return rng.sample(range(len(texts)), len(texts) // SHARES[law])

        for at in some("encode"):
            self.attempt("encode", {"text": texts[at], "add": rng.random() < 0.8})
        for at in some("pair"):
            self.attempt("encode", {"text": texts[at], "pair": texts[at - 1], "add": rng.random() < 0.8})
        for at in some("decode"):
            self.attempt("decode", {"ids": ids[at], "skip": rng.random() < 0.5})
        for _ in some("random ids"):
            random_ids = [rng.randrange(size) for _ in range(rng.randint(1, 20))]
            self.attempt("decode", {"ids": random_ids, "skip": rng.random() < 0.5})
        for at in some("alone"):
            self.attempt("alone", {"text": texts[at]})
        for _ in range(3):
            joined = "".join(rng.choices(texts, k=20)) if rng.random() < 0.8 else self.source.any_text()
            self.attempt("seams", {"text": joined, "size": rng.choice((1, 5, 33)), "window": rng.choice((1, 16, 200))})
        for _ in some("scalars"):
            self.attempt("scalars", {"text": self.source.any_text()})


def hunt(unit: Any, rng: random.Random, name: str, beat: Callable[[str], None]) -> None:
    """Do a unit: a cold tokenizer, long texts, and batches of short ones."""
    beat(f"loading {name}")
    made = Hunt(unit, rng, name)
    beat("cold")
    made.cold()
    beat("long")
    made.long()
    for number in range(TEXTS_A_UNIT // BATCH):
        beat(f"texts from {number * BATCH}")
        made.batch(number)
