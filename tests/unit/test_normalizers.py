"""Normalizers against tokenizers: texts, and the offsets of each resulting character."""

import pickle
import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.strategies import texts
from tokenizers_lite import _unicode
from tokenizers_lite.errors import SpecError
from tokenizers_lite.normalized import NormalizedString
from tokenizers_lite.normalizers import build
from tokenizers_lite.normalizers._classes import CharClass
from tokenizers_lite.spec import Pattern
from tokenizers_lite.spec import normalizers as specs

tokenizers = pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")
theirs = tokenizers.normalizers

FORMS = [specs.NFC(), specs.NFD(), specs.NFKC(), specs.NFKD()]
BOOLEANS = st.booleans()
LITERALS = st.sampled_from([" ", "a", "  ", "\u0301", "ab", "", "▁"])
REGEXES = st.sampled_from([r"\s+", r"[aeiou]", r"\p{M}", r"(l)(e)", r"(?i)s+", r" {2,}", r"\p{L}$"])
EMPTY_REGEXES = st.sampled_from(["x*", "^", r"\b", "(?=a)|b"])
CONTENTS = st.sampled_from(["▁", "", " ", "xy", "$1", "\\1", r"\g<0>"])


def patterns(regexes):
    return LITERALS.map(Pattern) | regexes.map(lambda text: Pattern(text, regex=True))


PARTS = (
    st.sampled_from([*FORMS, specs.Lowercase(), specs.StripAccents(), specs.Nmt(), specs.ByteLevel()])
    | st.builds(specs.Strip, BOOLEANS, BOOLEANS)
    | st.builds(specs.Prepend, st.sampled_from(["▁", "ab", "é"]))
    | st.builds(specs.Replace, patterns(REGEXES), CONTENTS)
    | st.builds(specs.BertNormalizer, BOOLEANS, BOOLEANS, st.sampled_from([None, True, False]), BOOLEANS)
)
ODD_PARTS = PARTS | st.builds(specs.Replace, EMPTY_REGEXES.map(lambda t: Pattern(t, regex=True)), CONTENTS)
MARKS = [chr(c) for first, last in _unicode.ranges("hf:combiningmark") for c in range(first, last + 1)]
DECOMPOSING = [chr(c) for c in range(0x30000) if unicodedata.decomposition(chr(c))]
UNSTABLE = st.lists(
    st.sampled_from("abeiouAEIOUsSxl \n▁\u0301\u0323\u0327\u1100\u1161\u11a8")
    | st.sampled_from(MARKS)
    | st.sampled_from(DECOMPOSING)
    | st.sampled_from([chr(last) for _, last in _unicode.ranges("nf:guard")])
    | st.sampled_from([chr(code) for code in _unicode.lower_map()])
    | st.sampled_from("中\U00020000Σİſß\ufffd\0\u200b\u200d\x85\x1c\u2028\ufeff"),
    max_size=12,
).map("".join)


def their(spec):
    """The same normalizer of tokenizers."""
    kind = type(spec).__name__
    if kind == "Sequence":
        return theirs.Sequence([their(part) for part in spec.normalizers])
    if kind == "Replace":
        return theirs.Replace(
            tokenizers.Regex(spec.pattern.text) if spec.pattern.regex else spec.pattern.text, spec.content
        )
    return getattr(theirs, kind)(*(getattr(spec, field) for field in spec._fields))


def their_offsets(normalizer, text):
    """What tokenizers says each normalized character stands for."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Split(tokenizers.Regex("(?m:.)"), "isolated")
    return tokenizer.encode(text).offsets


def assert_same(spec, text):
    normalizer, mine = their(spec), build(spec)
    expected = normalizer.normalize_str(text)
    aligned = mine.align(NormalizedString.of(text))

    assert mine.normalize(text) == expected
    assert aligned.text == expected
    assert list(zip(aligned.starts, aligned.ends, strict=True)) == their_offsets(normalizer, text)


@given(PARTS, UNSTABLE | texts())
@example(specs.Lowercase(), "ΑΣ ΟΔΥΣΣΕΥΣ")  # no final sigma
@example(specs.NFC(), "e\u0898\u0301")  # a mark Unicode 9 did not know separates
@example(specs.NFD(), "\U00011938")
@example(specs.NFC(), "\U00011935\U00011930")  # composes from Unicode 13 on
@example(specs.Strip(True, True), " \u3000 ")
@example(specs.Replace(Pattern(""), "x"), "ab")
def test_single_normalizers(spec, text):
    assert_same(spec, text)


@given(st.lists(PARTS, max_size=4).map(lambda parts: specs.Sequence(tuple(parts))), UNSTABLE | texts(max_parts=5))
def test_sequences(spec, text):
    assert_same_or_panics(spec, text)


@given(st.lists(ODD_PARTS, max_size=3).map(lambda parts: specs.Sequence(tuple(parts))), UNSTABLE)
@example(specs.Sequence((specs.Replace(Pattern("^", True), "x"), specs.StripAccents())), "Ab\u0301")
@example(specs.Sequence((specs.BertNormalizer(), specs.Replace(Pattern("^", True), "x"))), "\u0817")
def test_patterns_that_match_nothing(spec, text):
    assert_same_or_panics(spec, text)


def assert_same_or_panics(spec, text):
    """What tokenizers survives is equal; where it panics (patterns of no length), we return a str."""
    if panics(their(spec), text):
        assert isinstance(build(spec).normalize(text), str)
    else:
        assert_same(spec, text)


def panics(normalizer, text):
    try:
        normalizer.normalize_str(text)
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            return True
        raise
    return False


@pytest.mark.parametrize("spec", FORMS, ids=lambda spec: type(spec).__name__)
def test_forms_of_every_character(spec):
    """Each scalar alone, and between characters that compose and reorder."""
    mine, normalizer = build(spec), their(spec)
    codes = [c for c in range(0x32000) if not 0xD800 <= c < 0xE000] + list(range(0xE0000, 0xE0200))
    for start in range(0, len(codes), 64):
        for between in ("\n", "a\u0345", "\u0301e"):
            text = between.join(map(chr, codes[start : start + 64])) + between
            assert mine.normalize(text) == normalizer.normalize_str(text), hex(codes[start])


@pytest.mark.parametrize("spec", FORMS, ids=lambda spec: type(spec).__name__)
def test_forms_of_every_decomposition(spec):
    """What this Python's Unicode version takes apart or puts together, taken apart."""
    mine, normalizer = build(spec), their(spec)
    for char in DECOMPOSING:
        for text in (unicodedata.normalize("NFD", char), unicodedata.normalize("NFKD", char) + "\u0301", char * 2):
            assert mine.normalize(text) == normalizer.normalize_str(text), ascii(char)


@pytest.mark.parametrize("spec", [specs.BertNormalizer(), specs.StripAccents(), specs.Nmt(), specs.Lowercase()])
def test_every_character_alone(spec):
    mine, normalizer = build(spec), their(spec)
    codes = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000 and (c < 0x32000 or c & 0xFFF < 2)]
    for start in range(0, len(codes), 256):
        text = "x".join(map(chr, codes[start : start + 256]))
        assert mine.normalize(text) == normalizer.normalize_str(text), hex(codes[start])


@given(PARTS, st.sampled_from("a é中\u0301😀"), st.integers(1, 5))
def test_slices_keep_their_place(spec, char, base):
    """A part of a text is normalised with its place in the whole."""
    aligned = build(spec).align(NormalizedString.of(char, base))

    assert all(start in (base, base + 1) for start in aligned.starts)
    assert all(end in (base, base + 1) for end in aligned.ends)


@pytest.mark.parametrize(
    "unit", ["\u0323\u0301", "\u0344\u0323", "\u0f73", "e\u0323\u0301\u0327", "\u0301\U0001e08f", "é中"]
)
@pytest.mark.parametrize(
    "spec", [specs.NFC(), specs.NFKD(), specs.BertNormalizer(), specs.Replace(Pattern(r"\s+|é", True), "x")], ids=repr
)
def test_long_runs_take_linear_time(spec, unit):
    mine = build(spec)
    mine.normalize("é\u0301中")

    def seconds(size):
        text = unit * size
        start = time.process_time()
        mine.normalize(text)
        mine.align(NormalizedString.of(text))
        return time.process_time() - start

    small, large = min(seconds(1_000), seconds(1_000)), seconds(10_000)

    assert large < 50 * max(small, 0.002)


def test_long_runs_of_marks_are_normalised_alike():
    text = "e" + "\u0301\u0323\u0344\u0f73\u0327" * 300
    for spec in FORMS:
        assert_same(spec, text)


def test_unknown_kind_is_refused():
    class Shout(specs.Normalizer):
        pass

    with pytest.raises(SpecError, match=r"unknown kind of normalizer.*Shout"):
        build(specs.Sequence((Shout(),)))


def test_broken_pattern_is_refused():
    with pytest.raises(SpecError, match="parenthesis"):
        build(specs.Replace(Pattern("(a", regex=True), ""))


def test_normalizers_can_be_pickled():
    spec = specs.Sequence((specs.NFC(), specs.BertNormalizer(), specs.Replace(Pattern(r"\s+", True), " ")))
    mine = build(spec)
    mine.normalize("é 中")

    assert pickle.loads(pickle.dumps(mine)).normalize("É 中 \u0301") == mine.normalize("É 中 \u0301")


@given(texts(), st.sampled_from(["nf:guard", "nf:marks", "hf:bertremoved", "hf:nonspacingmark"]))
def test_patterns_of_a_class_match_its_characters(text, table):
    class_ = CharClass(table, "%s")

    assert class_.regex(text).findall(text) == [char for char in text if char in class_]
