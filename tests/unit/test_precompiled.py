"""Precompiled gives tokenizers' text and origins, on every map and wherever graphemes end."""

import re
import struct
import time
from functools import lru_cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests import spm
from tests.strategies import texts
from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats.sentencepiece import parse
from tokenizers_lite.normalized import NormalizedString
from tokenizers_lite.normalizers import _grapheme_data
from tokenizers_lite.normalizers.charsmap import CharsMap
from tokenizers_lite.normalizers.precompiled import Precompiled
from tokenizers_lite.spec.normalizers import Precompiled as Spec

RULES = {"a": "b", "ab": " ", "abc": "  a", "c": "", "d": " d", "か": "x  y", "é": "e\u0301", "\u0301": "", "👍": "<p>"}
RULES |= {"eee": "e", "  ": " ", "\r": "", "\r\n": "abc", "e\u0301": "é", "\u0600": "", "\u200d": "ZWJ"}


@lru_cache
def maps():
    """Return maps: of NFKC, of few rules of every sort, and one that shows where short graphemes end."""
    nfkc = parse(spm.train(model_type="char")).model.precompiled_charsmap
    folded = parse(spm.train(model_type="char", normalization_rule_name="nfkc_cf")).model.precompiled_charsmap
    units = [256 << 10] + [0] * 1023
    for byte in range(1, 256):
        units[256 + byte] = 768 << 10 | 0x100 | byte
        units[512 + byte] = 1 << 31
    counting = struct.pack("<I1024I", 4096, *units) + b"X\0"
    return {"nfkc": nfkc, "nfkc_cf": folded, "few": spm.compiled(RULES), "counting": counting}


@lru_cache
def oracle(name):
    """Return a tokenizer whose tokens are the characters after normalization."""
    tokenizers = pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.Precompiled(maps()[name])
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Split(tokenizers.Regex("(?m)."), "isolated")
    return tokenizer


@lru_cache
def ours(name):
    return Precompiled(Spec(maps()[name]))


def members(inside):
    """Return the characters of the inside of a character class."""
    text = inside.encode().decode("unicode_escape")
    spans = re.findall("(.)(?:-(.))?", text, re.DOTALL)
    return [chr(code) for first, last in spans for code in range(ord(first), ord(last or first) + 1)]


GRAPHEMES = [members(getattr(_grapheme_data, name)) for name in dir(_grapheme_data) if name.isupper()]
GRAPHEMES += [list(map(chr, range(0x1100, 0x1200))), list(map(chr, range(0xAC00, 0xAC40))), ["🇩", "🇪"]]
GRAPHEMES += [list("abcde \r\n\t\0é▁か👍\u0301\u200d"), ["\r\n", "\r", "\n"]]
clusters = st.lists(st.one_of([st.sampled_from(chars) for chars in GRAPHEMES]), max_size=9).map("".join)


def check(name, text):
    theirs, mine = oracle(name), ours(name)
    expected = theirs.normalizer.normalize_str(text)

    assert mine.normalize(text) == expected
    aligned = mine.align(NormalizedString.of(text))
    assert aligned.text == expected
    assert [aligned.slice(at, at + 1).offsets() for at in range(len(expected))] == theirs.encode(text).offsets


@pytest.mark.parametrize("name", ["nfkc", "nfkc_cf", "few", "counting"])
@given(text=st.one_of(texts(list(RULES)), clusters))
@example(text="\u0600a")
@example(text="\r\n\r\r\n")
@example(text="क\u094dक\u0301")
@example(text="क\u094d\r\n")
@example(text="क\u094d\x01\u094dक\u0301")
@example(text="\u1100\u1161\u0301")
@example(text="©\u200d®\u0301")
@example(text="cabcc")
@example(text="c\u200dかc")
def test_equals_tokenizers(name, text):
    check(name, text)


@pytest.mark.parametrize("name", ["nfkc", "counting"])
def test_every_character(name):
    theirs, mine = oracle(name).normalizer, ours(name)
    codes = [*range(0xD800), *range(0xE000, 0x20000), *range(0xE0000, 0xE0200)]

    text = "".join(f"{chr(code)}a{chr(code)}b\u0301" for code in codes)

    assert mine.normalize(text) == theirs.normalize_str(text)


@pytest.mark.parametrize(
    "run", ["a", "e\u0301", "\u0301", "\u0600", "क\u094d", "\u094d", "©\u200d", "\u1100", "\r\n", "🇩"]
)
def test_long_runs_take_linear_time(run):
    text = run * 30_000

    started = time.perf_counter()
    found = ours("nfkc").normalize(text)
    taken = time.perf_counter() - started

    assert found == oracle("nfkc").normalizer.normalize_str(text)
    assert taken < 5


@pytest.mark.parametrize(
    "blob",
    [b"", b"\4\0\0\0", b"\4\0\0\0abc", b"\xff\xff\xff\xffabcdefgh", struct.pack("<II", 4, 0) + b"\xff\0"],
)
def test_broken_maps_are_refused(blob):
    with pytest.raises(SpecError, match="precompiled_charsmap"):
        Precompiled(Spec(blob))


@given(st.binary(max_size=24), st.lists(st.integers(0, (1 << 32) - 1), min_size=1, max_size=300), clusters)
def test_crafted_maps_raise_only_spec_errors(block, units, text):
    blob = struct.pack(f"<I{len(units)}I", 4 * len(units), *units) + block
    try:
        normalizer = Precompiled(Spec(blob))
    except SpecError:
        return
    normalizer.normalize(text)
    normalizer.align(NormalizedString.of(text))


@given(st.lists(st.tuples(st.text("ab\u0301é", min_size=1, max_size=4), st.text("xyz", max_size=2)), max_size=8))
def test_rules_are_found(pairs):
    rules = dict(pairs)
    charsmap = CharsMap(spm.compiled(rules), validate=True)

    for text in [*rules, "abab", "é\u0301", "b"]:
        keys = [key for key in rules if text.startswith(key)]
        longest = max(keys, key=len, default=None)
        assert charsmap.longest(text, 0) == (None if longest is None else (len(longest), rules[longest]))
        assert charsmap.shortest(text) == (rules[min(keys, key=len)] if keys else None)
        starts = {match.start() for match in charsmap.scanner(text).finditer(text)}
        assert starts >= {at for at in range(len(text)) if charsmap.longest(text, at)}


@pytest.mark.parametrize(
    ("place", "value"), [(0, 0), (0, 0x100), (0, 1 << 20), (300, 0x1 | 1 << 28), (300, 0x101 | 1 << 10)]
)
def test_validation_refuses_what_sentencepiece_refuses(place, value):
    blob = bytearray(spm.compiled({"a": "b"}))
    struct.pack_into("<I", blob, 4 + 4 * place, value)
    data = spm.model([("<unk>", 0.0, 2), ("b", 0.0, 1)], 2, normalizer=spm.rules(bytes(blob)))

    with pytest.raises(SpecError, match="precompiled_charsmap"):
        CharsMap(bytes(blob), validate=True)
    with pytest.raises(RuntimeError, match=r"charsmap|Trie"):
        spm.oracle().SentencePieceProcessor(model_proto=data)
