"""Random Oniguruma patterns: those of real tokenizers, and ones put together of every construct."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|"
_BLANKS = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
REAL = [
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    _CONTRACTIONS + r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + _BLANKS,
    _CONTRACTIONS + r"[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" + _BLANKS,
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}",
    r"[一-龥぀-ゟ゠-ヿ]+",
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*",
    r"\s+", r"\w+|[^\w\s]+", r" {2,}", r"\s+$", r"^\s+", r".", r"\d", r"[\r\n]", "a", "▁", r"(?=[A-Z])",
]  # fmt: skip

PROPERTIES = ["L", "N", "P", "S", "M", "Z", "C", "Lu", "Ll", "Lo", "Lm", "Lt", "Mn", "Mc", "Nd", "Nl", "No", "Sc", "Sk"]
PROPERTIES += ["Han", "Latin", "Hiragana", "Cyrillic", "Greek", "Letter", "Alphabetic", "Zs", "Cc", "Cf", "Cn", "Any"]
POSIX = [
    "alpha",
    "digit",
    "space",
    "punct",
    "upper",
    "lower",
    "alnum",
    "cntrl",
    "xdigit",
    "blank",
    "graph",
    "print",
    "word",
]
ESCAPES = [r"\s", r"\S", r"\d", r"\D", r"\w", r"\W", r"\h", r"\t", r"\n", r"\r", r"\x41", r"\x{4e00}", r"\.", r"\-"]
LETTERS = ["a", "b", "e", "T", "s", "é", "中", "ſ", "K", "'", " ", "1", "▁", "Ġ", "_", "-", "👍", "\u0301", "ß", "\n"]
QUANTIFIERS = ["?", "*", "+", "{2}", "{1,3}", "{2,}", "{,2}", "??", "*?", "+?", "?+", "*+", "++", "{1,2}?", "{0,1}"]
ANCHORS = ["^", "$", r"\b", r"\B", r"\A", r"\z", r"\Z"]


def pattern(rng: random.Random) -> str:
    """Return a pattern, most often one that Oniguruma accepts."""
    return rng.choice(REAL) if rng.random() < 0.45 else _alternatives(rng, 0)


def _alternatives(rng: random.Random, depth: int) -> str:
    return "|".join(_concatenation(rng, depth) for _ in range(rng.choice((1, 1, 1, 2, 3))))


def _concatenation(rng: random.Random, depth: int) -> str:
    return "".join(_quantified(rng, depth) for _ in range(rng.choice((1, 1, 2, 3))))


def _quantified(rng: random.Random, depth: int) -> str:
    atom = _atom(rng, depth)
    return atom + rng.choice(QUANTIFIERS) if rng.random() < 0.35 and atom not in ANCHORS else atom


def _atom(rng: random.Random, depth: int) -> str:
    kind = rng.random()
    if kind < 0.3:
        return _literal(rng)
    if kind < 0.45:
        return rng.choice(ESCAPES)
    if kind < 0.6:
        return _property(rng)
    if kind < 0.75:
        return _class(rng, 0)
    if kind < 0.8:
        return "."
    if kind < 0.85:
        return rng.choice(ANCHORS)
    if depth > 2:
        return "x"
    opening = rng.choice(("(", "(?:", "(?:", "(?i:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?m:", "(?x: ", "(?-i:"))
    if opening in ("(?<=", "(?<!"):  # Oniguruma wants a bounded length
        return opening + _literal(rng) + ")"
    return opening + _alternatives(rng, depth + 1) + ")"


def _literal(rng: random.Random) -> str:
    return rng.choice(LETTERS)


def _property(rng: random.Random) -> str:
    name = rng.choice(PROPERTIES)
    return rng.choice((f"\\p{{{name}}}", f"\\P{{{name}}}", f"\\p{{^{name}}}", f"\\p{{{name.lower()}}}"))


def _class(rng: random.Random, depth: int) -> str:
    items = []
    for _ in range(rng.randint(1, 4)):
        kind = rng.random()
        if kind < 0.4:
            items.append(rng.choice([letter for letter in LETTERS if letter != "-"]))
        elif kind < 0.55:
            items.append(rng.choice(("a-z", "A-Z", "0-9", "À-ÿ", "一-龥", "\\x{1F300}-\\x{1FAFF}", "!-/")))
        elif kind < 0.7:
            items.append(_property(rng))
        elif kind < 0.85:
            items.append(rng.choice(ESCAPES))
        elif kind < 0.92:
            items.append(f"[:{rng.choice(('', '', '^'))}{rng.choice(POSIX)}:]")
        elif depth < 2:
            items.append(rng.choice(("", "&&")) + _class(rng, depth + 1))
    return "[" + rng.choice(("", "", "^")) + ("".join(items).removeprefix("&&") or "a") + "]"
