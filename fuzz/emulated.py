"""Emulated stock readers against their own laws, on the files that the converter makes of real models.

There is no library to compare with, so what must hold is: nothing but the
readers' own errors comes out, the same text gives the same ids whatever was
read before, the prefix stands in front once, special tokens cut a text into
parts that are encoded apart, bytes survive where the file has a token for
each, and a file that its writer says loses nothing gives the exact ids.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fuzz.texts import Texts
from tests.strategies import curable
from tokenizers_lite.errors import SpecError
from vocab_converters import emulate
from vocab_converters._header import TIKTOKEN
from vocab_converters._targets import TEXT_KINDS, Request, make

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from vocab_converters.emulate import Emulated

    Json = dict[str, Any]

TEXTS_A_UNIT = 1000
LONGEST = 300  # the readers merge in quadratic time, and so do their emulations
PAIRS = [("mtok", emulate.MNN), ("mtok", emulate.NATIVE)]
PAIRS += [(f"mnn-text:{kind}", reader) for kind in TEXT_KINDS for reader in emulate.READERS]


class Made:
    """One file of a model as one reader sees it."""

    def __init__(self, name: str, target: str, reader: str) -> None:
        from fuzz.models import model

        self.exact = model(name).ours
        self.built = make(self.exact.spec, target, reader, Request(target, reader))
        self.where = {"model": name, "target": target, "reader": reader}
        self.loses = any(loss.kind == "ids" for loss in self.built.losses)
        self.emulated = self.open()
        self.prefix = list(self.emulated.header.prefix)
        self.is_text = not target.startswith("mtok")
        self.whole_bytes = self.built.kind == TIKTOKEN and {bytes([byte]) for byte in range(256)} <= {
            self.emulated.decode_id(id_) for id_ in range(self.exact.vocab_size)
        }

    def open(self) -> Emulated:
        """Return the reader with nothing remembered."""
        return emulate.build(emulate.parse(self.built.data), self.where["reader"])


@lru_cache(maxsize=4)
def made(name: str, target: str, reader: str) -> Made | None:
    """Return a file and its reader, None where the target cannot hold the model."""
    try:
        return Made(name, target, reader)
    except (SpecError, emulate.ReaderError):
        return None


def differs(subject: Made, given: Json) -> str | None:
    """Return which law does not hold for a text."""
    text: str = given["text"]
    try:
        ids = subject.emulated.encode(text)
        if given.get("fresh") and (again := subject.open().encode(text)) != ids:
            return f"emulated: a reader with nothing remembered gives {again}, not {ids}"[:600]
        return _laws(subject, text, ids)
    except emulate.ReaderError:
        return None
    except Exception as err:
        return f"emulated: crashed, {type(err).__name__}: {err}"


def _laws(subject: Made, text: str, ids: list[int]) -> str | None:
    emulated, prefix = subject.emulated, subject.prefix
    shown = emulated.decode(ids)
    if subject.is_text:
        if ids[: len(prefix)] != prefix:
            return f"emulated: {ids} does not begin with {prefix}"[:600]
        if wrong := _segments(subject, text, ids):
            return wrong
        kept = subject.whole_bytes and text.isprintable() and emulated.reader != emulate.MNN_LLM
        if kept and emulated.decode(ids[len(prefix) :]) != text.encode():
            return f"emulated: {text!r} comes back as {shown!r}"[:600]
    if not subject.loses and text == curable(text) and (exact := subject.exact.encode(text)) != ids:
        return f"emulated: no loss is reported, but {text!r} gives {ids}, exactly {exact}"[:600]
    return None


def _segments(subject: Made, text: str, ids: list[int]) -> str | None:
    """Special tokens are found first, and what is between them is encoded as if alone."""
    emulated, prefix = subject.emulated, subject.prefix
    for number in emulated.header.special[:3]:
        special = emulated.decode_id(number).decode("utf-8", "replace")
        starts = {emulated.decode_id(other)[:1] for other in emulated.header.special}
        known = special and emulated.encode(special) == [*prefix, number]
        if not known or not text or any(start in text.encode("utf-8", "replace") for start in starts if start):
            continue
        expected = [*ids, number, *ids[len(prefix) :]]
        if (found := emulated.encode(text + special + text)) != expected:
            return f"emulated: around {special!r} {found}, apart {expected}"[:600]
    return None


def still_wrong(case: Json) -> str | None:
    """Return what is wrong with a case now."""
    subject = made(case["model"], case["target"], case["reader"])
    return None if subject is None else differs(subject, case["input"])


def hunt(unit: Any, rng: random.Random, name: str, beat: Callable[[str], None]) -> None:
    """Try texts on two of the files that can be made of a model."""
    from fuzz.models import corpora, sources

    beat(f"loading {name}")
    source = Texts(rng, *sources(name), corpora())
    for target, reader in rng.sample(PAIRS, 6):
        beat(f"{target} for {reader}")
        subject = made(name, target, reader)
        if subject is None:
            unit.count("targets that cannot hold the model")
            continue
        unit.count("emulated files")
        for number in range(TEXTS_A_UNIT // 4):
            text = source.any_text() if number % 10 == 9 else source.text()[:LONGEST]
            given = {"text": text, "fresh": number == 7}
            unit.count("texts")
            unit.count("characters", len(text))
            unit.count("law emulated")
            wrong = differs(subject, given)
            if wrong:
                unit.find({"law": "emulated", **subject.where, "input": given}, wrong)
