# ruff: noqa: RUF005 - sums of lists line up better here
"""Patterns against Oniguruma as tokenizers runs it: known ones, every construct, random ones."""

import pickle
import re
import time

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.strategies import texts
from tokenizers_lite import patterns
from tokenizers_lite.errors import SpecError
from tokenizers_lite.patterns import ClassTable, SplitPattern, class_table

tokenizers = pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN = LLAMA3.replace("{1,3}", "")
QWEN35 = QWEN.replace(r"?\p{L}+", r"?[\p{L}\p{M}]+").replace(r"[^\s\p{L}\p{N}]", r"[^\s\p{L}\p{M}\p{N}]")
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
DEEPSEEK = (
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^"""
    "\r\n"
    r"\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+["
    "\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"
)
KNOWN = [GPT2, LLAMA3, QWEN, QWEN35, O200K, DEEPSEEK, r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", r"\w+|[^\w\s]+", r"\s+"]
# Tests that run once a pattern share the budget.
SHARED = settings(max_examples=max(20, settings.default.max_examples // 3))
COMPILED = {pattern: SplitPattern(pattern) for pattern in KNOWN}


def oracle_spans(pattern, text, behavior="isolated", invert=False):
    split = tokenizers.pre_tokenizers.Split(tokenizers.Regex(pattern), behavior, invert)
    return [span for _, span in split.pre_tokenize_str(text)]


def oracle_accepts(pattern):
    try:
        tokenizers.Regex(pattern)
    except Exception:
        return False
    return True


def assert_same(pattern, text, split=None):
    """Equal pieces and, of them, equal matches."""
    split = split or SplitPattern(pattern)
    parts = [part for part in split.split(text) if part[0] != part[1]]

    assert [part[:2] for part in parts] == oracle_spans(pattern, text)
    assert [part[:2] for part in parts if part[2]] == oracle_spans(pattern, text, "removed", invert=True)
    assert split.pieces(text) == [text[start:end] for start, end, _ in parts]


@pytest.mark.parametrize("pattern", KNOWN)
@SHARED
@given(text=texts(max_parts=10))
@example("'ſ'K")  # (?i) knows U+017F and U+212A
@example("a\x1cb\x85c")  # \s is not Python's
@example("\u1c89\ua7cb\U00010d50\U00011380")  # letters of Unicode 16
@example("\U00030000a 😀\n\n  b")
def test_known_patterns(pattern, text):
    assert_same(pattern, text, COMPILED[pattern])
    assert_same(pattern, "".join(c for c in text if c <= "\uffff"), COMPILED[pattern])
    assert_same(pattern, "".join(c for c in text if c.isascii()), COMPILED[pattern])


@pytest.mark.parametrize("pattern", KNOWN)
@SHARED
@given(text=texts(max_parts=10))
def test_class_table_matches_like_the_pattern(pattern, text):
    table = class_table(pattern)
    letters = text.translate(table)

    assert letters.isascii()
    assert table.source.isascii()
    assert [m.span() for m in table.regex.finditer(letters)] == COMPILED[pattern].spans(text)


@pytest.mark.parametrize("pattern", KNOWN)
def test_class_table_is_deterministic_and_covers_everything(pattern):
    table = class_table(pattern)

    assert (table.ranges, table.source) == (class_table(pattern).ranges, class_table(pattern).source)
    assert table.ranges[0][0] == 0
    assert table.ranges[-1][1] == 0x10FFFF
    assert all(a[1] + 1 == b[0] and a[2] != b[2] for a, b in zip(table.ranges, table.ranges[1:], strict=False))


def test_class_table_can_stand_in_for_the_pattern():
    table = ClassTable(*class_table(QWEN).__reduce__()[1])

    split = SplitPattern(QWEN, table=table)
    text = "Hi there's 12 中\n\n"

    assert_same(QWEN, text + "😀", split)
    while split._patience > 0:
        split.spans(text * 500)
    for after in ("", "x", "😀"):  # by patterns of its own from now on
        assert_same(QWEN, text + after, split)


def test_patterns_that_compare_texts_have_no_class_table():
    assert class_table(r"(.)\1") is None


# Every construct, with texts that tell right from nearly right.
CONSTRUCTS = [
    (r"^", ["a\nb\n", "\n", "a"]),
    (r"$", ["a\nb\n", "\n", "a"]),
    (r"\A|\z", ["a\nb\n"]),
    (r"\Z", ["a\n", "a\n\n"]),
    (r"\b", ["éa b_1 \u0301x"]),
    (r"\B", ["éa b_1"]),
    (r".", ["\n\r\x85a"]),
    (r"(?m:.)", ["\na"]),
    (r"(?m)a.(?-m:.)", ["a\n\n", "a\nb"]),
    (r"\N|\O", ["\na"]),
    (r"\R", ["\r\n\x0b\x85\u2028\n\r"]),
    (r"\R\n", ["\r\n", "\r\n\n"]),
    (r"\h+|\H", ["aFg9"]),
    # Oniguruma has two ideas of a word character.
    (r"\w+|\p{Word}", ["a²³¹¼½¾_ª"]),
    (r"[\w]+|[^\W]|[\p{Word}]", ["a²³¹¼½¾_ª"]),
    (r"\w+|[^\w\s]+", [":¹", "¹:"]),
    (r"\b", ["²a ½", "a²:"]),
    (r"\d+|\D", ["1٣²a"]),
    (r"\p{Lu}|\P{L}|\p{^N}", ["aB1é"]),
    (r"\pL", ["pL"]),
    (r"\x41\u00e9\x{4e2d}\o{102}\103\e\t", ["Aé中BC\x1b\t"]),
    (r"\xe4\xb8\xad", ["中"]),
    (r"\x4g\x", ["\x04gx"]),
    (r"\cA\C-a\c\\", ["\x01\x01\x1c"]),
    (r"\-\&\~\#\/\é", ["-&~#/é"]),
    (r"a{,2}", ["aaa"]),
    (r"a{2}?", ["aaaaa"]),
    (r"a{1,2}?", ["aaa"]),
    (r"a{2,1}a", ["aa", "aaa"]),
    (r"a{2}+|b{1,2}+", ["aaaaabbb"]),
    (r"a{,}|a{x}|a{1", ["a{,}a{x}a{1"]),
    (r"a++a|b*+b|c?+c", ["aaabbbccc"]),
    (r"(?>a|ab)c", ["abcac"]),
    (r"a*?b|a+?|a??c", ["aabaac"]),
    (r"a(?i)b|c", ["aBCaCb"]),
    (r"(?i)a(?-i)b", ["AbAB"]),
    ("(?x) a b # comment\n [ c]", ["ab ", "abc"]),
    (r"a(?#comment)*", ["aaa"]),
    (r"(?=c)|a", ["abc"]),
    (r"(?<=a|bc)d|(?<!x|yz)e", ["adbcdcdexeyzee"]),
    (r"(?<=a{1,3}b)c|(?<=(?<=a)b)d", ["aabcabdbd"]),
    (r"(?<=\b)b|(?<=^a)c", ["ab b ac\nac"]),
    (r"(a|b)\1", ["aabbab"]),
    (r"(?<n>a)(b)\k<n>|(?'m'c)\k'm'", ["abacc"]),
    (r"(a)(b)\k<-1>", ["abb"]),
    (r"[a-c-e]+", ["a-bde"]),
    (r"[]a]+|[^]b]", ["]ab^"]),
    (r"[a-c&&b-d]|[^a&&b]", ["abcd"]),
    (r"[a[^b]]", ["abc"]),
    (r"[\w&&[^\d_]&&[^x]]+", ["abx1_é"]),
    (r"[[:^alpha:][:digit:]]+", ["a1!"]),
    (r"[:alpha:]+", ["a:l"]),
    (r"[[:a1:]x]|[[: :]b]|[[::]]", ["a1: :b"]),
    (r"[\b\t\]\-\\]", ["\x08\t]-\\b"]),
    (r"[\d-]+|[+--]", ["1-+,"]),
    (r"", ["abc"]),
    (r"x*", ["axb", "xx"]),
    (r"a|b*", ["abb c"]),
    (r"s|(?<!s|s)", ["1s𐀀KaS1"]),
    (r"\B|\N\p{L}+", ["bc-\n"]),
    (r"(?:a?)+|(?:b??)*", ["aabb"]),
    (r"(?:a|b*)*c|(a*)*", ["aabbcaa"]),
    # Case folding
    (r"(?i:s)", ["sSſß"]),
    (r"(?i:k)|(?i:å)|(?i:ω)", ["Kk\u212aå\u212bωΩ\u2126"]),
    (r"(?i:ss)", ["ß", "ẞ", "SſsS"]),
    (r"(?i:sss)", ["sß", "ßs", "ẞs"]),
    (r"(?i:ß)", ["ss", "SS", "sſ", "ẞ"]),
    (r"(?i:[ß])", ["ss", "SS", "ẞ", "s"]),
    (r"(?i:[^ß])", ["ss", "ẞ"]),
    (r"(?i:(?:s)(?:s))", ["ß"]),
    (r"(?i:s)(?i:s)", ["ß"]),
    (r"(?i:(s)s)", ["ß", "ss"]),
    (r"(?i:s{2}|ss+)", ["ß", "ssS"]),
    (r"(?i:ffi)", ["ﬃ", "fﬁ", "ﬀi", "FFI"]),
    (r"(?i:[ﬀ-ﬆ])", ["ffi", "stff", "FI"]),
    (r"(?i:ŉ|ΐ|ᾳ)", ["ʼN", "\u1fd3", "αι", "ᾼ"]),
    (r"(?i:İ|i̇)", ["i̇", "İ", "I"]),
    (r"(?i:[A-Z])|(?i:[^a-z])", ["ſKa1"]),
    (r"(?i:\p{Lu})|(?i:\P{Lu})", ["aAſ"]),
    (r"(?i:[\p{Lu}])|(?i:[[:upper:]])", ["aA1"]),
    (r"(?i:(?<=ss)x)|(?i:(?<=k)y)", ["ßxSSx", "\u212aykyKy"]),
]


@pytest.mark.parametrize(("pattern", "samples"), CONSTRUCTS)
def test_constructs(pattern, samples):
    for text in samples:
        assert_same(pattern, text)


REFUSED = [
    r"\Ga",
    r"a\Kb",
    r"\X",
    r"\y",
    r"(?~ab)",
    r"(?{x})",
    r"(*FAIL)",
    r"(?(1)a|b)",
    r"(?<n>a)\g<n>",
    r"(?W)\w",
    r"(?i)(a)\1",
    r"(?<=a+)b",
    r"(?<!\s*)b",
    r"[a-[b]]",
    r"(?<n>a)(?<n>b)\k<n>",
    r"\xff",
    r"\M-a",
    r"\x{41 42}",
]


@pytest.mark.parametrize("pattern", REFUSED)
def test_what_cannot_be_exact_is_refused(pattern):
    with pytest.raises(SpecError, match=r"not supported|ends too early"):
        SplitPattern(pattern)


BROKEN = ["(a", "a)", "[a", "[]", "[^]", "*a", "+", "{1}", "a|*", "(?:|*)", "^*", r"\b+", "(?=a)*", "(?:a|^)*"]
BROKEN += [
    r"\1",
    r"\k<n>",
    r"(?<1>a)",
    r"(?<n>a)\1",
    r"(?P<n>a)",
    r"(?s:.)",
    r"[z-a]",
    r"[a-\d]",
    r"[\d-a]",
    "[[:foo:]]",
]
BROKEN += [r"\p{foo}", r"\p{", r"a{100001}", r"\u12", "\\", "[\\", "(?<=(?=a)b)c", "(?<!(a))b", r"\C", r"(?", "(?#"]


@pytest.mark.parametrize("pattern", BROKEN)
def test_what_oniguruma_refuses_is_refused(pattern):
    assert not oracle_accepts(pattern)
    with pytest.raises(SpecError, match=re.escape(repr(pattern)[1:-1][:40])):
        SplitPattern(pattern)


def _classes(inner):
    members = st.sampled_from(
        ["a", "b", "c", "s", "S", "ß", "1", "é", "-", "ſ", "ﬀ", "a-c", "A-Z", "0-9", "ß-é", "a-c-e", "!-~"]
        + [r"\p{L}", r"\P{L}", r"\w", r"\s", r"\W", r"\p{Lu}", r"\p{^N}", r"\h", r"\n", r"\]", r"\-", r"\u0061"]
        + ["[:alpha:]", "[:^space:]", "[:punct:]", "&&a", "&&\\w", "&&[^b]"]
    )
    return st.builds(
        lambda negative, parts: "[" + "^" * negative + "".join(parts) + "]",
        st.booleans(),
        st.lists(members | inner, min_size=1, max_size=3),
    )


CLASSES = st.recursive(_classes(st.nothing()), _classes, max_leaves=3)
ATOMS = (
    st.text("abcsSkKß'1é一𐀀ſfi ²", min_size=1, max_size=3)
    | CLASSES
    | st.sampled_from(
        [r"\p{L}", r"\p{N}", r"\s", r"\S", r"\w", r"\W", r"\d", r"\R", r"\N", r"\O", ".", r"\p{Lu}", r"\x{e9}"]
    )
    | st.sampled_from(
        ["^", "$", r"\A", r"\z", r"\Z", r"\b", r"\B", "(?i)", "(?m:.)", "(?#c)", r"(?<=a|\sb)", "(?<!s|k)"]
    )
)
QUANTIFIERS = st.sampled_from(
    [*[""] * 12, "*", "+", "?", "*?", "+?", "??", "++", "*+", "?+", "{1,2}", "{2}", "{,2}", "{1,}", "{2,1}", "{1,2}?"]
    + ["{2}?", "{0}", "{1,2}+", "??+", "*?*"]
)


def _groups(inner):
    sequences = st.lists(st.builds(str.__add__, inner, QUANTIFIERS), min_size=1, max_size=3).map("".join)
    openings = st.sampled_from(["(?:", "(?:", "(", "(?i:", "(?>", "(?=", "(?!", ""])
    return st.builds(
        lambda opening, parts: opening + "|".join(parts) + ")" * bool(opening),
        openings,
        st.lists(sequences, min_size=1, max_size=3),
    )


PATTERNS = st.recursive(ATOMS, _groups, max_leaves=8)


def attempt(pattern):
    """The compiled pattern; None if Oniguruma refuses it as well, or we say why we do."""
    try:
        return SplitPattern(pattern)
    except SpecError as error:
        if oracle_accepts(pattern) and "not supported" not in str(error):
            raise
        return None


@given(PATTERNS, st.lists(st.text("aabcsSkKß'1 \né一𐀀ſfﬀ\r\u212a-]²", max_size=8), min_size=1, max_size=6))
@example("cc{2}?|(?<!\\p{L}|a(?:ab|c))", ["sc]a"])
def test_random_patterns(pattern, samples):
    split = attempt(pattern)
    assume(split)
    assert oracle_accepts(pattern)
    for text in samples:
        assert_same(pattern, text, split)
        table = split.table
        if table is not None and split.min_length:
            assert [m.span() for m in table.regex.finditer(text.translate(table))] == split.spans(text)


@given(st.text("ab .*+?()[]{}^$|\\#&-~\n中😀", max_size=3), st.text("ab .*+?()[]{}^$|\\#&-~\n中😀", max_size=12))
@example("", "abc")
@example(" ", "a  b")
def test_literal_patterns(literal, text):
    split = tokenizers.pre_tokenizers.Split(literal, "isolated")
    mine = SplitPattern(literal, regex=False)

    assert mine.pieces(text) == [piece for piece, _ in split.pre_tokenize_str(text)]


@given(texts())
def test_every_spelling_of_the_classes_agrees(text):
    split = COMPILED[QWEN]
    full = [m.span() for m in patterns.compile(QWEN).finditer(text)]

    assert full == split.spans(text) == list(split.finditer_spans(text))
    assert full == [m.span() for m in re.compile(patterns.source(QWEN, native=False)).finditer(text)]


@given(st.text(st.characters(exclude_categories=("Cs",), max_codepoint=0x20000), max_size=80))
def test_is_bmp(text):
    assert patterns.is_bmp(text) == all(char <= "\uffff" for char in text)
    text.encode()  # a cached UTF-8 form must not mislead it
    assert patterns.is_bmp(text) == all(char <= "\uffff" for char in text)


def test_nothing_matches_in_an_empty_text():
    for pattern in ("", "a*", "^", "$"):
        assert SplitPattern(pattern).split("") == [(0, 0, False)]
        assert SplitPattern(pattern).spans("") == []


@pytest.mark.parametrize("pattern", [*KNOWN, r"(a)\1", r"a++b"])
def test_patterns_can_be_pickled(pattern):
    split = SplitPattern(pattern)
    split.pieces("aab 12 😀")

    copy = pickle.loads(pickle.dumps(split))

    assert copy.pieces("aab 12 中😀") == split.pieces("aab 12 中😀")


def test_what_covers_every_text():
    covering = [pattern for pattern in KNOWN if COMPILED[pattern].covers]

    assert covering == [GPT2, LLAMA3, QWEN, QWEN35, O200K]
    assert not SplitPattern("a*|.+").covers
    assert not SplitPattern(r"\s+|\S(?!x)").covers


@pytest.mark.parametrize("unit", [" ", "\n", "a", "中", "😀", "\u0301", "!", " \n", "a1", "\u3000x"])
def test_a_megabyte_takes_linear_time(unit):
    split = COMPILED[QWEN]
    split.pieces("warm up, 中 😀")

    def seconds(size):
        text = unit * (size // len(unit))
        start = time.process_time()
        split.pieces(text)
        return time.process_time() - start

    small, large = min(seconds(50_000) for _ in range(3)), seconds(500_000)

    assert large < 60 * max(small, 0.002)
