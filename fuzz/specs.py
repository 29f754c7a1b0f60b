"""Random tokenizer.json files: every component and option of tokenizers 0.23.3, with small vocabularies.

`spec(rng)` gives a file that ought to be valid as Python's JSON values,
`damage(rng, spec)` changes it so that it often is not.
"""

from __future__ import annotations

import base64
from functools import cache
from typing import TYPE_CHECKING, Any

from fuzz.spec_models import SPECIALS, bpe, chance, some_char, some_pattern, some_string, unigram, wordlevel, wordpiece
from tests.strategies import FRAGMENTS

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    Json = dict[str, Any]

BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
SCHEMES = ["first", "never", "always"]


@cache
def charsmaps() -> list[str]:
    """Return character maps of sentencepiece, in base64: those of its trainer and rules of our own."""
    try:
        from tests.spm import train
        from tokenizers_lite.formats import sentencepiece as reader
    except Exception:
        return []
    maps = []
    for rule in ("nmt_nfkc", "nfkc_cf"):
        try:
            spec = reader.parse(train(normalization_rule_name=rule))
        except BaseException:
            return []
        maps.append(base64.b64encode(spec.model.precompiled_charsmap).decode())  # type: ignore[attr-defined]
    return maps


def sequence(rng: random.Random, kind: str, field: str, make: Any, depth: int) -> Json:
    """Return a Sequence of components."""
    return {"type": kind, field: [make(rng, depth + 1) for _ in range(rng.randint(0, 4))]}


def normalizer(rng: random.Random, depth: int = 0) -> Json:
    """Return a normalizer."""
    kinds = ["Strip", "StripAccents", "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Nmt", "Replace", "Replace", "Prepend"]
    kinds += ["BertNormalizer", "ByteLevel", "Precompiled"] + ["Sequence"] * (4 if depth == 0 else depth == 1)
    kind = rng.choice(kinds)
    if kind == "Sequence":
        return sequence(rng, kind, "normalizers", normalizer, depth)
    if kind == "BertNormalizer":
        fields = {name: chance(rng) for name in ("clean_text", "handle_chinese_chars", "lowercase")}
        return {"type": kind, **fields, "strip_accents": rng.choice((None, True, False))}
    if kind == "Strip":
        return {"type": kind, "strip_left": chance(rng), "strip_right": chance(rng)}
    if kind == "Replace":
        return {"type": kind, "pattern": some_pattern(rng), "content": some_string(rng)}
    if kind == "Prepend":
        return {"type": kind, "prepend": some_string(rng)}
    if kind == "Precompiled":
        maps = charsmaps()
        return {"type": kind, "precompiled_charsmap": rng.choice(maps)} if maps else {"type": "NFKC"}
    return {"type": kind}


def byte_level(rng: random.Random) -> Json:
    """Return a ByteLevel component of any kind."""
    fields = {"type": "ByteLevel", "add_prefix_space": chance(rng), "trim_offsets": chance(rng)}
    return {**fields, "use_regex": chance(rng)} if chance(rng, 0.9) else fields


def metaspace(rng: random.Random) -> Json:
    """Return a Metaspace component of either kind, in the new form or the old."""
    fields: Json = {"type": "Metaspace", "replacement": rng.choice(("▁", "▁", "▁", "_", "a", " ", "é", "👍"))}
    if chance(rng, 0.8):
        fields["prepend_scheme"] = rng.choice(SCHEMES)
    if chance(rng, 0.8):
        fields["split"] = chance(rng)
    if chance(rng, 0.1):
        fields["add_prefix_space"] = chance(rng, 0.7)
    return fields


def pre_tokenizer(rng: random.Random, depth: int = 0) -> Json:
    """Return a pre-tokenizer."""
    kinds = ["BertPreTokenizer", "ByteLevel", "ByteLevel", "CharDelimiterSplit", "Metaspace", "Metaspace", "Whitespace"]
    kinds += ["Split", "Split", "Split", "Punctuation", "WhitespaceSplit", "Digits", "UnicodeScripts", "FixedLength"]
    kind = rng.choice(kinds + ["Sequence"] * (6 if depth == 0 else depth == 1))
    if kind == "Sequence":
        return sequence(rng, kind, "pretokenizers", pre_tokenizer, depth)
    if kind == "ByteLevel":
        return byte_level(rng)
    if kind == "Metaspace":
        return metaspace(rng)
    fields: Json = {}
    if kind == "CharDelimiterSplit":
        fields = {"delimiter": some_char(rng)}
    if kind == "Split":
        fields = {"pattern": some_pattern(rng), "behavior": rng.choice(BEHAVIORS), "invert": chance(rng, 0.3)}
    if kind == "Punctuation" and chance(rng, 0.8):
        fields = {"behavior": rng.choice(BEHAVIORS)}
    if kind == "Digits":
        fields = {"individual_digits": chance(rng)}
    if kind == "FixedLength":
        fields = {"length": rng.choice((1, 2, 3, 5, 7, 100))}
    return {"type": kind, **fields}


def template(rng: random.Random) -> Json:
    """Return a TemplateProcessing."""
    names = rng.sample(SPECIALS, 3)
    tokens = {}
    for name in names:
        ids = [rng.randrange(40) for _ in range(1 if chance(rng, 0.8) else rng.randint(0, 3))]
        tokens[name] = {"id": name, "ids": ids, "tokens": [rng.choice(SPECIALS) for _ in ids]}

    def pieces(sequences: str) -> list[Json]:
        row: list[Json] = [{"Sequence": {"id": name, "type_id": rng.randrange(3)}} for name in sequences]
        for _ in range(rng.randint(0, 3)):
            token = {"SpecialToken": {"id": rng.choice(names), "type_id": rng.randrange(3)}}
            row.insert(rng.randint(0, len(row)), token)
        return row

    single = "A" if chance(rng, 0.9) else rng.choice(("", "AA", "B"))
    pair = "AB" if chance(rng, 0.8) else rng.choice(("BA", "A", "B", "ABA", "ABB"))
    return {"type": "TemplateProcessing", "single": pieces(single), "pair": pieces(pair), "special_tokens": tokens}


def post_processor(rng: random.Random, depth: int = 0) -> Json:
    """Return a post-processor."""
    kinds = [
        "BertProcessing",
        "RobertaProcessing",
        "ByteLevel",
        "ByteLevel",
        "TemplateProcessing",
        "TemplateProcessing",
    ]
    kind = rng.choice(kinds + ["Sequence"] * (2 if depth == 0 else depth == 1))
    if kind == "Sequence":
        return sequence(rng, kind, "processors", post_processor, depth)
    if kind == "ByteLevel":
        return byte_level(rng)
    if kind == "TemplateProcessing":
        return template(rng)
    fields: Json = {name: [rng.choice(SPECIALS), rng.randrange(40)] for name in ("sep", "cls")}
    if kind == "RobertaProcessing":
        fields.update(trim_offsets=chance(rng), add_prefix_space=chance(rng))
    return {"type": kind, **fields}


def decoder(rng: random.Random, depth: int = 0) -> Json:
    """Return a decoder."""
    kinds = ["BPEDecoder", "ByteLevel", "WordPiece", "Metaspace", "CTC", "Replace", "Replace", "Fuse", "Strip", "Strip"]
    kind = rng.choice([*kinds, "ByteFallback", "ByteFallback"] + ["Sequence"] * (8 if depth == 0 else depth == 1))
    if kind == "Sequence":
        return sequence(rng, kind, "decoders", decoder, depth)
    if kind == "ByteLevel":
        return byte_level(rng)
    if kind == "Metaspace":
        return metaspace(rng)
    fields: Json = {}
    if kind == "BPEDecoder":
        fields = {"suffix": some_string(rng)}
    if kind == "WordPiece":
        fields = {"prefix": some_string(rng), "cleanup": chance(rng)}
    if kind == "CTC":
        fields = {"pad_token": some_string(rng), "word_delimiter_token": some_string(rng), "cleanup": chance(rng)}
    if kind == "Replace":
        fields = {"pattern": some_pattern(rng), "content": some_string(rng)}
    if kind == "Strip":
        fields = {"content": some_char(rng), "start": rng.randrange(4), "stop": rng.randrange(4)}
    return {"type": kind, **fields}


def added_tokens(rng: random.Random, size: int, vocab: Sequence[str]) -> list[Json]:
    """Return added tokens: specials, words, overlapping ones, tokens of the vocabulary, ones that never match."""
    contents = rng.sample([*SPECIALS, "<s>x", "<", "a", "ab", "b a", "fox", " fox", "É", "é", "e\u0301", "ſ", "THE"], 6)
    contents += [rng.choice(vocab)] if vocab and chance(rng, 0.4) else []
    contents += [rng.choice(FRAGMENTS)] if chance(rng, 0.3) else []
    contents = contents[: rng.randint(1, 8)]
    tokens = []
    for content in contents:
        flags = {name: chance(rng, 0.25) for name in ("single_word", "lstrip", "rstrip")}
        id_ = size + len(tokens) if chance(rng, 0.8) else rng.randrange(size + 20)
        flags.update(normalized=chance(rng), special=chance(rng))
        tokens.append({"id": id_, "content": content, **flags})
    return tokens


def truncation(rng: random.Random) -> Json:
    """Return a truncation."""
    fields: Json = {"max_length": rng.choice((0, 1, 2, 3, 5, 8, 20)), "stride": rng.choice((0, 0, 1, 2, 4))}
    fields["strategy"] = rng.choice(("LongestFirst", "OnlyFirst", "OnlySecond"))
    return {**fields, "direction": rng.choice(("Left", "Right"))} if chance(rng, 0.9) else fields


def padding(rng: random.Random) -> Json:
    """Return a padding."""
    return {
        "strategy": "BatchLongest" if chance(rng) else {"Fixed": rng.randrange(30)},
        "direction": rng.choice(("Left", "Right")),
        "pad_to_multiple_of": rng.choice((None, None, 0, 1, 8)),
        "pad_id": rng.randrange(5),
        "pad_type_id": rng.randrange(3),
        "pad_token": rng.choice(("[PAD]", "<pad>", "")),
    }


def spec(rng: random.Random) -> Json:
    """Return a tokenizer.json that ought to be valid."""
    model = rng.choice((bpe, bpe, bpe, wordpiece, wordlevel, unigram, unigram))(rng)
    vocab = [token for token, _ in model["vocab"]] if model["type"] == "Unigram" else list(model["vocab"])
    made: Json = {"version": "1.0"}
    made["truncation"] = truncation(rng) if chance(rng, 0.15) else None
    made["padding"] = padding(rng) if chance(rng, 0.1) else None
    made["added_tokens"] = added_tokens(rng, len(vocab), vocab) if chance(rng, 0.7) else []
    made["normalizer"] = normalizer(rng) if chance(rng, 0.6) else None
    made["pre_tokenizer"] = pre_tokenizer(rng) if chance(rng, 0.75) else None
    made["post_processor"] = post_processor(rng) if chance(rng, 0.4) else None
    made["decoder"] = decoder(rng) if chance(rng, 0.7) else None
    return {**made, "model": model}


# ---------------------------------------------------------------- damage

ODD = [None, True, False, 0, 1, -1, 2**32, 2**32 - 1, 2**64, 1.0, 1.5, "", "a", "ab", "▁", "\0", [], {}, [[]], ["a", 1]]
ODD += [
    {"type": "NFC"},
    {"type": "Fuse"},
    {"type": "Whitespace"},
    {"type": "Sequence"},
    {"String": "a"},
    {"Regex": "["},
]
ODD += [{"Regex": "a", "String": "b"}, "isolated", "Isolated", "first", 1e400, "1.0", {"Fixed": 3}, [["a", -1.0]]]


def damage(rng: random.Random, made: Json) -> Json:
    """Change one to three places of a spec, in place; gives it."""
    for _ in range(rng.randint(1, 3)):
        places = list(_places(made))
        holder, key = rng.choice(places)
        kind = rng.random()
        if kind < 0.25:
            del holder[key]
        elif kind < 0.75:
            holder[key] = _copy(rng.choice(ODD))
        elif kind < 0.85:
            other, name = rng.choice(places)
            holder[key] = _copy(other[name]) if _has(other, name) else None
        elif isinstance(holder, dict):
            holder[rng.choice(("type", "extra", str(key).upper(), "prepend_scheme", "vocab", "str_rep"))] = _copy(
                rng.choice(ODD)
            )
        elif holder:
            holder.append(_copy(holder[0]))
    return made


def _has(holder: Any, key: Any) -> bool:
    return key in holder if isinstance(holder, dict) else key < len(holder)


def _copy(value: Any) -> Any:
    """Return a deep copy of JSON."""
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _places(value: Any, depth: int = 0) -> Any:
    """Yield (container, key) of every value; of large vocabularies, a few."""
    items = list(value.items() if isinstance(value, dict) else enumerate(value))
    for key, item in items if len(items) < 12 else items[:2]:
        yield value, key
        if isinstance(item, (dict, list)) and depth < 12:
            yield from _places(item, depth + 1)
