"""Sentencepiece models against the sentencepiece library: real ones, and ones trained with random options."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fuzz.laws import ours
from fuzz.texts import Texts
from tests import paths
from tokenizers_lite.formats import sentencepiece as reader
from tokenizers_lite.tokenizer import Tokenizer

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    Json = dict[str, Any]

TRAINED = 3  # models a unit
TEXTS = 400  # texts of each


def names() -> list[str]:
    """Return the models whose tokenizer.model is here."""
    return [name for name in paths.models() if (paths.SHARED / "vocab" / name / "tokenizer.model").is_file()]


def options(rng: random.Random) -> Json:
    """Return options of the trainer."""
    flags = ["add_dummy_prefix", "remove_extra_whitespaces", "split_by_whitespace", "split_by_number", "split_digits"]
    flags += ["split_by_unicode_script", "treat_whitespace_as_suffix", "allow_whitespace_only_pieces", "byte_fallback"]
    chosen: Json = {name: rng.random() < 0.5 for name in rng.sample(flags, rng.randint(0, 6))}
    chosen["model_type"] = rng.choice(("bpe", "bpe", "unigram", "unigram", "char", "word"))
    if chosen["model_type"] in ("char", "word"):
        chosen.pop("byte_fallback", None)
    rules = ("nmt_nfkc", "nfkc", "nmt_nfkc_cf", "nfkc_cf", "identity")
    chosen["normalization_rule_name"] = rng.choice(rules)
    chosen["vocab_size"] = rng.choice((300, 400, 600)) + 256 * bool(chosen.get("byte_fallback"))
    if rng.random() < 0.4:
        chosen["user_defined_symbols"] = ",".join(rng.sample(("<x>", "the", "...", "  ", "é", "中文", "12", "<s>x"), 3))
    if rng.random() < 0.3:
        chosen["unk_surface"] = rng.choice((" ⁇ ", "?", ""))
    return chosen


@lru_cache(maxsize=2)
def pair(name: str, chosen: tuple[tuple[str, Any], ...] = ()) -> tuple[Tokenizer, Any]:
    """Return (ours, theirs) of a real model or of one trained with options."""
    from sentencepiece import SentencePieceProcessor

    from tests.spm import train

    path = paths.SHARED / "vocab" / name / "tokenizer.model"
    data = path.read_bytes() if name else train(**dict(chosen))
    return Tokenizer(reader.parse(data), name), SentencePieceProcessor(model_proto=data)


def check(mine: Tokenizer, theirs: Any, text: str, expected: list[int] | None = None) -> str | None:
    """Return what differs between ours and theirs on a text."""
    expected = theirs.encode(text) if expected is None else expected
    found = ours(lambda: mine.encode(text, add_special_tokens=False))
    if found != ("value", expected):
        return f"sentencepiece ids: ours {found}, theirs {expected}"
    words = theirs.decode(expected)
    if mine.decode(expected, skip_special_tokens=False) != words:
        return f"sentencepiece decode: ours {mine.decode(expected, skip_special_tokens=False)!r}, theirs {words!r}"
    stream = mine.stream(skip_special_tokens=False)
    streamed = "".join(map(stream.push, expected)) + stream.finish()
    return None if streamed == words else f"sentencepiece stream: {streamed!r} is not {words!r}"


def still_wrong(case: Json) -> str | None:
    """Return what is wrong with a case now."""
    chosen = tuple(sorted(case.get("options", {}).items()))
    return check(*pair(case.get("name", ""), chosen), case["input"]["text"])


def hunt(unit: Any, rng: random.Random, name: str, beat: Callable[[str], None]) -> None:
    """Try texts on a real model, or on a few trained ones."""
    for number in range(1 if name else TRAINED):
        chosen = () if name else tuple(sorted(options(rng).items()))
        beat(f"{name or 'trained'} {number} {chosen}")
        try:
            mine, theirs = pair(name, chosen)
        except (OSError, RuntimeError):
            unit.count("untrainable")  # options that exclude each other
            continue
        unit.count("models")
        pieces = [theirs.id_to_piece(id_).replace("▁", " ") for id_ in range(theirs.vocab_size())]
        texts = Texts(rng, pieces).texts(TEXTS * (4 if name else 1))
        for text, ids in zip(texts, theirs.encode(texts, num_threads=1), strict=True):
            unit.count("texts")
            unit.count("characters", len(text))
            unit.count("law sentencepiece")
            wrong = check(mine, theirs, text, ids)
            if wrong:
                where: Json = {"name": name} if name else {"options": dict(chosen)}
                unit.find({"law": "sentencepiece", **where, "input": {"text": text}}, wrong)
