# ruff: noqa: SIM905, RUF007 - names read better as text; pairwise needs an import
"""Pinned tables: set algebra by laws, contents against tokenizers at every border."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenizers_lite import _unicode

CODES = st.sets(st.one_of(st.integers(0, 40), st.integers(_unicode.MAX - 3, _unicode.MAX)), max_size=20)


def ranges_of(codes):
    return _unicode.union((code, code) for code in codes)


def codes_of(ranges):
    return {code for first, last in ranges for code in range(first, last + 1)}


@given(CODES, CODES)
def test_set_algebra(a, b):
    x, y = ranges_of(a), ranges_of(b)

    assert codes_of(x) == a
    assert codes_of(_unicode.union(x, y)) == a | b
    assert codes_of(_unicode.intersection(x, y)) == a & b
    assert _unicode.complement(_unicode.complement(x)) == x
    assert not _unicode.intersection(x, _unicode.complement(x))
    assert _unicode.union(x, _unicode.complement(x)) == ((0, _unicode.MAX),)


@given(CODES, st.integers(0, 45))
def test_contains_is_membership(codes, code):
    assert _unicode.contains(ranges_of(codes), code) == (code in codes)


@given(CODES, st.sampled_from([127, 0xFFFF, _unicode.MAX]))
def test_class_text_matches_the_class_up_to_its_limit(codes, limit):
    import re

    regex = re.compile(_unicode.class_text(ranges_of(codes), limit))

    for code in (*range(45), 0xD7FF, _unicode.MAX):
        if code <= limit:
            assert bool(regex.fullmatch(chr(code))) == (code in codes)


def test_every_table_is_well_formed():
    _unicode.ranges("p:any")
    for name in _unicode._tables:
        ranges = _unicode.ranges(name)
        borders = [border for pair in ranges for border in pair]
        assert borders == sorted(borders), name
        assert all(a[1] + 1 < b[0] for a, b in zip(ranges, ranges[1:], strict=False)), name
        assert not ranges or (ranges[0][0] >= 0 and ranges[-1][1] <= _unicode.MAX), name


def test_property_names_are_compared_loosely():
    assert _unicode.property_ranges("Lu") == _unicode.property_ranges("UPPERCASE letter")
    assert _unicode.property_ranges("in-basic_latin") == ((0, 127),)
    assert _unicode.property_ranges("Nonsense") is None


def test_general_categories_divide_all_code_points():
    names = "cc cf cn co ll lm lo lt lu mc me mn nd nl no pc pd pe pf pi po ps sc sk sm so zl zp zs".split()
    total = sum(last + 1 - first for name in names for first, last in _unicode.ranges(f"p:{name}"))

    assert total == 0x110000 - 0x800  # surrogates were not asked about
    assert _unicode.union(*(_unicode.ranges(f"p:{n}") for n in ("lu", "ll", "lt", "lm", "lo"))) == _unicode.ranges(
        "p:l"
    )


def test_loading_the_tables_imports_little():
    code = "import sys; from tokenizers_lite import _unicode; _unicode.ranges('p:l'); print(' '.join(sys.modules))"
    script = f"import sys; sys.path = {sys.path!r}; {code}"
    run = subprocess.run([sys.executable, "-S", "-c", script], check=True, capture_output=True, text=True)

    assert not {"re", "typing", "json", "dataclasses", "unicodedata"} & set(run.stdout.split())


class TestOracle:
    """Each table against the live library, at the code points around every border."""

    tokenizers = None

    @pytest.fixture(autouse=True)
    def _oracle(self):
        self.tokenizers = pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")

    def borders(self, *names):
        codes = {0, 0x41, 0x4E00, 0x20000, 0x10FFFF}
        for name in names:
            for first, last in _unicode.ranges(name):
                codes |= {first - 1, first, last, last + 1}
        return [c for c in sorted(codes) if 0 <= c <= _unicode.MAX and not 0xD800 <= c < 0xE000]

    def members(self, pattern, codes):
        """The code points whose character the Oniguruma pattern matches, asked in one go."""
        split = self.tokenizers.pre_tokenizers.Split(self.tokenizers.Regex(pattern), "isolated")
        pieces = split.pre_tokenize_str("".join(map(chr, codes)))
        matched = self.tokenizers.pre_tokenizers.Split(self.tokenizers.Regex(pattern), "removed", invert=True)
        found = {start for _, (start, _) in matched.pre_tokenize_str("".join(map(chr, codes)))}
        assert sum(len(piece) for piece, _ in pieces) == len(codes)
        return {code for at, code in enumerate(codes) if at in found}

    @pytest.mark.parametrize(
        "name",
        "L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C Cc Cf Cn Co Han "
        "Latin Cyrillic Greek Hiragana Katakana Hangul Arabic Thai Common Inherited Alphabetic White_Space Emoji "
        "Lowercase Uppercase XID_Start Any Assigned ASCII Alnum Alpha Punct Space Word Ideographic "
        "In_CJK_Unified_Ideographs".split(),
    )
    def test_properties(self, name):
        table = _unicode.property_ranges(name)
        codes = self.borders(f"p:{name.lower().replace('_', '')}")

        assert self.members(rf"\p{{{name}}}", codes) == {c for c in codes if _unicode.contains(table, c)}

    @pytest.mark.parametrize(
        ("pattern", "table"),
        [(rf"\{letter}", f"escape:{letter}") for letter in "wsdh"]
        + [
            (f"[[:{name}:]]", f"posix:{name}")
            for name in ("alpha", "alnum", "punct", "graph", "print", "space", "word")
        ],
    )
    def test_escapes_and_posix_classes(self, pattern, table):
        codes = self.borders(table)

        assert self.members(pattern, codes) == {c for c in codes if _unicode.contains(_unicode.ranges(table), c)}

    @pytest.mark.parametrize(
        ("table", "pre_tokenizer"), [("rust:whitespace", "WhitespaceSplit"), ("hf:punctuation", "Punctuation")]
    )
    def test_splitting_classes(self, table, pre_tokenizer):
        splitter = getattr(self.tokenizers.pre_tokenizers, pre_tokenizer)()
        for code in self.borders(table):
            is_split = [piece for piece, _ in splitter.pre_tokenize_str(f"a{chr(code)}a")] != [f"a{chr(code)}a"]
            assert is_split == _unicode.contains(_unicode.ranges(table), code), hex(code)

    def test_numeric(self):
        digits = self.tokenizers.pre_tokenizers.Digits(True)
        for code in self.borders("rust:numeric"):
            is_split = len(digits.pre_tokenize_str(f"a{chr(code)}a")) == 3
            assert is_split == _unicode.contains(_unicode.ranges("rust:numeric"), code), hex(code)

    def test_lower_case_of_every_cased_character(self):
        lower, mapping = self.tokenizers.normalizers.Lowercase(), _unicode.lower_map()
        for code in sorted({*mapping, *map(ord, "".join(mapping.values())), *self.borders("p:l")}):
            assert chr(code).translate(mapping) == lower.normalize_str(chr(code)), hex(code)

    def test_scripts_join_and_part(self):
        scripts = self.tokenizers.pre_tokenizers.UnicodeScripts()
        starts, labels = _unicode.scripts()
        first = {}
        for start, label in zip(starts, labels, strict=True):
            first.setdefault(label, chr(start))
        for at, (start, label) in enumerate(zip(starts, labels, strict=True)):
            if 0xD800 <= start < 0xE000:
                continue
            assert not at or labels[at - 1] != label
            if label == 0:
                assert scripts.pre_tokenize_str(chr(start)) == [], hex(start)
                assert len(scripts.pre_tokenize_str(f"a{chr(start)}a")) == 1, hex(start)
                continue
            other = first[label % max(labels) + 1]
            assert len(scripts.pre_tokenize_str(first[label] + chr(start))) == 1, hex(start)
            assert len(scripts.pre_tokenize_str(chr(start) + other)) == 2, hex(start)
