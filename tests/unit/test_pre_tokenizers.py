"""Pre-tokenizers against tokenizers, over random specs and texts, with and without origins."""

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tokenizers_lite import pre_tokenizers
from tokenizers_lite.byte_alphabet import to_alphabet
from tokenizers_lite.errors import SpecError
from tokenizers_lite.normalized import NormalizedString
from tokenizers_lite.spec import Pattern
from tokenizers_lite.spec import pre_tokenizers as specs

tokenizers = pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")

BASIC = st.text("ab ▁-'sĠ\n\r\t12,.é", max_size=16)
# Digits of many scripts, marks, joiners, white space that Python and Rust see differently, unassigned code points.
RARE = st.text(
    "½٣४௧৪²Ⅷ一\u0301\u0308\u200d\ufe0f👩👧🏽日本ーかカ한\x1c\x85\xa0\u2028\u3000\u0378\U000e0fff\U0001fbf0ſK\0\ufffd«_$+",
    max_size=8,
)
TEXTS = st.lists(BASIC | RARE | st.text(max_size=6), max_size=4).map("".join)

BEHAVIORS = st.sampled_from(specs.BEHAVIORS)
CHARACTERS = st.sampled_from(" ▁-aĠ日👧")
LITERALS = st.sampled_from(["", " ", "a", "ab", "aa", "▁", "👧", "."]).map(Pattern)
REGEXES = st.sampled_from(
    [
        r"\s+",
        r"\p{N}{1,3}",
        r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        r"a*",
        r"|a",
        r"(?<=a)b",
        r"\w+|[^\w\s]+",
    ]
).map(lambda text: Pattern(text, regex=True))
SPLITTERS = (
    st.just(specs.BertPreTokenizer())
    | st.builds(specs.CharDelimiterSplit, CHARACTERS)
    | st.builds(specs.Digits, st.booleans())
    | st.builds(specs.FixedLength, st.integers(1, 7))
    | st.builds(specs.Punctuation, BEHAVIORS)
    | st.builds(specs.Split, LITERALS | REGEXES, BEHAVIORS, st.booleans())
    | st.just(specs.UnicodeScripts())
    | st.just(specs.Whitespace())
    | st.just(specs.WhitespaceSplit())
)
BYTE_LEVELS = st.builds(specs.ByteLevel, st.booleans(), st.booleans(), st.booleans())
METASPACES = st.builds(specs.Metaspace, CHARACTERS, st.sampled_from(specs.PREPEND_SCHEMES), st.booleans())
PARTS = SPLITTERS | BYTE_LEVELS | METASPACES
SPECS = PARTS | st.lists(PARTS, max_size=3).map(lambda parts: specs.Sequence(tuple(parts)))


def as_json(spec):
    """tokenizer.json's form of a spec."""
    kind = type(spec).__name__
    if kind == "Sequence":
        return {"type": kind, "pretokenizers": [as_json(part) for part in spec.pretokenizers]}
    fields = {name: getattr(spec, name) for name in spec._fields}
    if kind == "Split":
        fields["pattern"] = {"Regex" if spec.pattern.regex else "String": spec.pattern.text}
    return {"type": kind, **fields}


def oracle(spec):
    model = {"type": "WordLevel", "vocab": {}, "unk_token": ""}
    data = {"version": "1.0", "model": model, "pre_tokenizer": as_json(spec)}
    return tokenizers.Tokenizer.from_str(json.dumps(data)).pre_tokenizer


def expected(spec, text):
    # tokenizers keeps the one empty piece of an empty text where nothing splits.
    return [(piece, offsets) for piece, offsets in oracle(spec).pre_tokenize_str(text) if piece]


def aligned(spec, text):
    pieces = pre_tokenizers.build(spec).pre_tokenize_aligned(NormalizedString.of(text), True)
    return [(piece.text, piece.offsets()) for piece in pieces]


@given(SPECS, TEXTS)
@example(specs.UnicodeScripts(), "  abc 日 本x\u0378y")
@example(specs.Split(Pattern("a*", regex=True), "MergedWithPrevious", True), "baac")
@example(
    specs.Sequence((specs.ByteLevel(use_regex=False), specs.Split(Pattern("Ġ")), specs.Metaspace("▁", "first"))), "ab b"
)
@example(specs.Digits(True), "a½٣\U0001fbf0")
@example(specs.WhitespaceSplit(), "a\x1cb\x85c")
def test_pre_tokenizing_equals_the_oracle(spec, text):
    found = expected(spec, text)

    assert aligned(spec, text) == found
    assert pre_tokenizers.build(spec).pre_tokenize(text, True) == [piece for piece, _ in found]


@given(st.builds(specs.Split, LITERALS | REGEXES, BEHAVIORS, st.booleans()), st.lists(TEXTS, min_size=1, max_size=4))
def test_a_splitter_used_often_stays_the_same(spec, texts):
    splitter = pre_tokenizers.build(spec)
    for text in texts * 10:  # patterns that leave gaps are run differently after some texts
        assert splitter.pieces(text) == [text[start:end] for start, end in splitter.spans(text)]


NORMALIZING = st.sampled_from(
    [
        (lambda s: s.append("é "), lambda s: s.append("é ")),
        (lambda s: s.prepend(" ▁a"), lambda s: s.prepend(" ▁a")),
        (lambda s: s.filter(lambda c: c not in "a ▁"), lambda s: s.filter(lambda c: c not in "a ▁")),
        (lambda s: s.replace("b", " ab"), lambda s: s.replace(occurrences(s.text, "b"), " ab")),
        (lambda s: s.map(lambda c: "▁" if c == "1" else c), lambda s: s.map(s.text.replace("1", "▁"))),
    ]
)


def occurrences(text, character):
    return [(at, at + 1) for at, found in enumerate(text) if found == character]


@given(SPECS, st.lists(NORMALIZING, max_size=3), TEXTS)
def test_origins_survive_what_normalizers_do(spec, steps, text):
    mine, theirs = NormalizedString.of(text), tokenizers.PreTokenizedString(text)
    for step in steps:
        if not mine.text:
            return
        their_step, my_step = step
        theirs.normalize(their_step)
        mine = my_step(mine)
    oracle(spec).pre_tokenize(theirs)
    found = [(piece, offsets) for piece, offsets, _ in theirs.get_splits("original", "char") if piece]

    pieces = pre_tokenizers.build(spec).pre_tokenize_aligned(mine, True)
    assert [(piece.text, piece.offsets()) for piece in pieces] == found


@given(st.lists(METASPACES | SPLITTERS, max_size=3).map(tuple).map(specs.Sequence), TEXTS)
def test_a_text_that_does_not_come_first_is_prepended_to_accordingly(spec, text):
    later = pre_tokenizers.build(spec).pre_tokenize(text, False)
    never = pre_tokenizers.build(
        specs.Sequence(
            tuple(
                part.replace(prepend_scheme="never")
                if isinstance(part, specs.Metaspace) and part.prepend_scheme == "first"
                else part
                for part in spec.pretokenizers
            )
        )
    )
    assert later == never.pre_tokenize(text, True)


@given(st.lists(SPLITTERS, max_size=2), st.booleans(), TEXTS)
def test_the_byte_level_splitter_is_the_pre_tokenizer_without_the_alphabet(parts, use_regex, text):
    spec = specs.Sequence((*parts, specs.ByteLevel(add_prefix_space=False, use_regex=use_regex)))
    splitter = pre_tokenizers.byte_level_splitter(spec)

    assert [*map(to_alphabet, splitter.pieces(text))] == pre_tokenizers.build(spec).pre_tokenize(text, True)
    assert splitter.pieces(text) == [text[start:end] for start, end in splitter.spans(text)]


@pytest.mark.parametrize(
    "spec",
    [
        None,
        specs.ByteLevel(add_prefix_space=True),
        specs.Metaspace(),
        specs.Sequence((specs.Metaspace(), specs.ByteLevel(add_prefix_space=False))),
        specs.Sequence((specs.ByteLevel(add_prefix_space=False), specs.Digits())),
        specs.Sequence(()),
    ],
)
def test_other_pre_tokenizers_have_no_byte_level_splitter(spec):
    assert pre_tokenizers.byte_level_splitter(spec) is None


@pytest.mark.parametrize(
    "spec",
    [
        specs.BertPreTokenizer(),
        specs.Digits(),
        specs.Punctuation("Contiguous"),
        specs.UnicodeScripts(),
        specs.Whitespace(),
        specs.WhitespaceSplit(),
    ],
    ids=lambda spec: type(spec).__name__,
)
def test_every_character_is_of_the_class_the_oracle_puts_it_in(spec):
    # Planes 2 and 3 but for their edges, and the private planes, are uniform.
    codes = [*range(0xD800), *range(0xE000, 0x20100), *range(0x3FF00, 0x40100), *range(0xE0000, 0xE0200), 0x10FFFF]
    # Characters of no script go with their neighbours, which could hide a wrong class.
    for between in ("", "a") if isinstance(spec, specs.UnicodeScripts) else ("",):
        text = between.join(map(chr, codes))
        assert pre_tokenizers.build(spec).pre_tokenize(text, True) == [piece for piece, _ in expected(spec, text)]


@pytest.mark.parametrize("character", ["a", " ", "▁", "\U0001f467", "1"])
def test_long_runs_take_linear_time(character):
    kinds = [specs.ByteLevel(), specs.Metaspace(), specs.BertPreTokenizer(), specs.Punctuation("MergedWithNext")]
    built = [pre_tokenizers.build(spec) for spec in kinds]

    def seconds(size):
        text = character * size
        start = time.process_time()
        for pre_tokenizer in built:
            pre_tokenizer.pre_tokenize(text, True)
        return time.process_time() - start

    seconds(10)
    assert seconds(160_000) < 40 * max(seconds(10_000), 0.002)


@pytest.mark.parametrize(
    "spec",
    [
        specs.PreTokenizer(),
        specs.FixedLength(0),
        specs.Punctuation("isolated"),
        specs.Split(Pattern("a"), "Isolate"),
        specs.Metaspace("▁", "sometimes"),
        specs.Metaspace("▁▁"),
        specs.CharDelimiterSplit(""),
    ],
)
def test_specs_that_mean_nothing_are_refused(spec):
    with pytest.raises(SpecError, match="pre_tokenizer"):
        pre_tokenizers.build(spec)
