"""Random models of tokenizer.json files, with small vocabularies, and the words they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fuzz.patterns import pattern
from fuzz.texts import scalar
from tests.strategies import FRAGMENTS
from tokenizers_lite.byte_alphabet import CHARS as BYTE_CHARS

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    Json = dict[str, Any]


WORDS = [
    "the",
    "quick",
    "fox",
    "don't",
    "it's",
    "naïve",
    "中文",
    "文字",
    "числа",
    "12",
    "345",
    "a",
    "b",
    "ab",
    "ba",
    "aa",
    "",
    "abc",
    "x_1",
    "é",
    "▁a",
    "▁the",
    "##a",
    "Ġthe",
    "</w>",
    "👍🏽",
    "ſ",
]


SPECIALS = ["<s>", "</s>", "<pad>", "<unk>", "[CLS]", "[SEP]", "[UNK]", "<mask>"]


CHARS = [" ", "▁", "_", "a", "e", "é", "中", "Ġ", "👍", "\n", "|", ".", "1", "\u0301"]


STRINGS = [
    "",
    " ",
    "▁",
    "a",
    "ab",
    "the",
    "##",
    "</w>",
    "Ġ",
    "é",
    "e\u0301",
    "中",
    "\n",
    "  ",
    "<pad>",
    "|",
    "👍🏽",
    "'",
]


def chance(rng: random.Random, p: float = 0.5) -> bool:
    """Return True with probability `p`."""
    return rng.random() < p


def some_string(rng: random.Random) -> str:
    """Return a short string."""
    return rng.choice(STRINGS) if chance(rng, 0.8) else rng.choice(FRAGMENTS)


def some_char(rng: random.Random) -> str:
    """Return one character."""
    return rng.choice(CHARS) if chance(rng, 0.85) else scalar(rng)


def some_pattern(rng: random.Random) -> Json:
    """Return a pattern as Split and Replace hold one."""
    return {"Regex": pattern(rng)} if chance(rng, 0.6) else {"String": some_string(rng)}


def alphabet(rng: random.Random) -> list[str]:
    """Return the characters a vocabulary starts from."""
    if chance(rng, 0.45):
        letters = list(BYTE_CHARS)
        return letters if chance(rng, 0.8) else rng.sample(letters, rng.randint(60, 255))
    letters = sorted(set("".join(WORDS)) | set("▁ĠTHE <>/s.,!\n"))
    letters += [scalar(rng) for _ in range(rng.randint(0, 20))]
    return letters if chance(rng, 0.7) else rng.sample(letters, rng.randint(1, len(letters)))


def grown(
    rng: random.Random, letters: Sequence[str], prefix: str = "", suffix: str = ""
) -> tuple[list[str], list[Any]]:
    """Return tokens and merges grown from letters; each merge joins two tokens that are there."""
    tokens = list(dict.fromkeys(letters))
    if suffix:
        tokens += [letter + suffix for letter in rng.sample(tokens, len(tokens) // 2)]
    if prefix:
        tokens += [prefix + token for token in rng.sample(tokens, len(tokens) // 2)]
    known, merges = dict.fromkeys(tokens), []
    favourites = [t for t in tokens if t and t.strip(suffix or "\0") in "the abĠ▁qu "] or tokens
    cut = len(prefix)
    for _ in range(rng.choice((0, 5, 40, 150))):
        pool = favourites if chance(rng, 0.7) else tokens
        a, b = rng.choice(pool), rng.choice(pool)
        if prefix and not b.startswith(prefix):
            continue
        merged = a + b[cut:]
        if len(merged) > 12 or (suffix and a.endswith(suffix)):
            continue
        if merged not in known:
            known[merged] = None
            tokens.append(merged)
            favourites.append(merged)
        merges.append([a, b])
    return tokens, merges


def numbered(rng: random.Random, tokens: Sequence[str]) -> dict[str, int]:
    """Return tokens with ids: in order, shuffled, or with holes."""
    tokens = list(dict.fromkeys(tokens))
    kind = rng.random()
    if kind < 0.6:
        ids = list(range(len(tokens)))
    elif kind < 0.85:
        ids = rng.sample(range(len(tokens)), len(tokens))
    else:
        ids = rng.sample(range(len(tokens) * 2 + 5), len(tokens))
    return dict(zip(tokens, ids, strict=True))


def extras(rng: random.Random) -> list[str]:
    """Return tokens that merges do not reach: specials, byte tokens, words."""
    found = rng.sample(SPECIALS, rng.randint(0, len(SPECIALS)))
    if chance(rng, 0.4):
        found += [f"<0x{byte:02X}>" for byte in range(256) if chance(rng, 0.97)]
    return found + (rng.sample(WORDS, 5) if chance(rng) else [])


def bpe(rng: random.Random) -> Json:
    """Return a BPE model."""
    prefix = rng.choice(("", "", "", "##", "▁", "é")) if chance(rng, 0.3) else None
    suffix = rng.choice(("</w>", "", "é")) if chance(rng, 0.25) else None
    tokens, merges = grown(rng, alphabet(rng), prefix or "", suffix or "")
    if chance(rng, 0.2):
        rng.shuffle(merges)
    if chance(rng, 0.1) and merges:
        merges.append(rng.choice(merges))
    first = extras(rng)
    tokens = first + tokens if chance(rng, 0.7) else tokens + first
    if merges and chance(rng, 0.1) and not any(" " in part for merge in merges for part in merge):
        merges = [" ".join(merge) for merge in merges]
    model: Json = {"type": "BPE"}
    if chance(rng, 0.9):
        model["dropout"] = rng.choice((None, None, None, None, 0.0, 0, 1.0)) if chance(rng, 0.4) else None
        model["unk_token"] = rng.choice((None, "<unk>", "<unk>", "[UNK]"))
        model["continuing_subword_prefix"] = prefix
        model["end_of_word_suffix"] = suffix
        model["fuse_unk"] = chance(rng)
        model["byte_fallback"] = chance(rng, 0.4)
        model["ignore_merges"] = chance(rng, 0.3)
    elif prefix or suffix:
        model.update(continuing_subword_prefix=prefix, end_of_word_suffix=suffix)
    return {**model, "vocab": numbered(rng, tokens), "merges": merges}


def wordpiece(rng: random.Random) -> Json:
    """Return a WordPiece model."""
    prefix = rng.choice(("##", "##", "", "▁", "é"))
    tokens, _ = grown(rng, alphabet(rng), prefix)
    return {
        "type": "WordPiece",
        "unk_token": rng.choice(("[UNK]", "[UNK]", "<unk>")),
        "continuing_subword_prefix": prefix,
        "max_input_chars_per_word": rng.choice((100, 100, 20, 3, 1, 0)),
        "vocab": numbered(rng, (SPECIALS if chance(rng, 0.9) else []) + tokens),
    }


def wordlevel(rng: random.Random) -> Json:
    """Return a WordLevel model."""
    tokens, _ = grown(rng, alphabet(rng))
    tokens += WORDS
    return {
        "type": "WordLevel",
        "vocab": numbered(rng, (SPECIALS if chance(rng, 0.9) else []) + tokens),
        "unk_token": rng.choice(("<unk>", "[UNK]")),
    }


def unigram(rng: random.Random) -> Json:
    """Return a Unigram model."""
    tokens, _ = grown(rng, alphabet(rng))
    tokens = list(dict.fromkeys(extras(rng) + tokens))
    if chance(rng, 0.2):
        rng.shuffle(tokens)
    scores = [-1.0, -2.5, -3.0, -10.25, 0.0, -0.1, -1e-3]
    vocab = [[t, rng.choice(scores) if chance(rng, 0.3) else -rng.random() * 12] for t in tokens]
    model: Json = {"type": "Unigram", "vocab": vocab, "unk_id": rng.randrange(len(vocab)) if chance(rng, 0.8) else None}
    if chance(rng, 0.9):
        model["byte_fallback"] = chance(rng, 0.4)
    return model
