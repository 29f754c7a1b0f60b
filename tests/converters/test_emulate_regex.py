"""The readers' regex engine: its own tree walk and its `re` translation agree, and both fold as described."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import texts
from vocab_converters.emulate import _regex
from vocab_converters.emulate._text import QWEN
from vocab_converters.emulate._unicode15 import FOLD, is_whitespace, lower_map, unicode_class

PATTERNS = [
    QWEN,
    _regex.GPT2,
    r"\p{N}{1,3}",
    r"[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r" *[^ \x07]+(?![^ ])| *(?:[^ \x07]+|\x07[ \x07]*)*",
    r"(?:ab|a)+b|(?:x{2,3}|y)*z|[a-c\d]+?q|(?i:HELLO)|.",
    r"(?:a*)b|(?:a?|b)*c",
]


def walk(text, pattern):
    """Search with the tree alone, as the C++ does."""
    folded, tree = text.translate(FOLD), _regex.parse(pattern)
    found, at = [], 0
    while at < len(folded):
        end = _regex.match_branches(folded, at, tree)
        if end > at:
            found.append((at, end))
        at = max(end, at + 1)
    return found


@pytest.mark.parametrize("pattern", PATTERNS)
@given(text=st.one_of(texts(), st.text("abcxyzq1 \n", max_size=12)))
def test_both_ways_of_matching_agree(pattern, text):
    text = text[:60]

    assert _regex.spans(text, pattern) == walk(text, pattern)


def test_groups_do_not_give_back_what_their_inside_took():
    assert _regex.spans("ab", "(?:a|ab)c|.") == [(0, 1), (1, 2)]
    assert _regex.spans("abc", "(?:a|ab)c") == []
    assert re.findall("(?:a|ab)c", "abc") == ["abc"]


def test_a_group_must_consume():
    assert _regex.spans("b", "(?:a*)b") == []


def test_only_the_first_letter_of_a_property_counts():
    assert _regex.spans("aB", r"\p{Lu}+") == [(0, 2)]


def test_lazy_is_greedy_and_possessive_is_a_plus_sign():
    assert _regex.spans("aab", "a+?b") == [(0, 3)]
    assert _regex.spans("aa+", "a++") == [(0, 3)]


@pytest.mark.parametrize("pattern", [r"\bx|y", r"(?=a)x|y", r"(?<!a)x|y", r"x\1|y"])
def test_an_unsupported_alternative_disappears(pattern):
    assert _regex.spans("xy", pattern) == [(1, 2)]


def test_nothing_supported_means_gpt2():
    assert _regex.spans("it's 12", r"\bx") == [(0, 2), (2, 4), (4, 7)]


def test_a_literal_outside_ascii_matches_its_whole_class_beside_a_property():
    assert _regex.spans("→©", r"→|\p{N}") == [(0, 1), (1, 2)]


def test_patterns_outside_ascii_without_properties_go_by_code_point():
    assert _regex.spans("a一龥z", "[一-龥]+") == [(1, 3)]
    with pytest.raises(_regex.ReaderError):
        _regex.spans("a", "(?i:é)")


def test_control_characters_collide_with_classes():
    assert _regex.spans("\x01", r"\p{L}") == [(0, 1)]
    assert _regex.spans("\x02", r"\p{N}") == [(0, 1)]


def test_white_space_lacks_what_unicode_calls_so():
    assert [hex(code) for code in (0x85, 0x2028, 0x2029, 0x1C) if is_whitespace(code)] == []
    assert all(map(is_whitespace, (0x20, 0x0B, 0xA0, 0x3000)))


def test_undecodable_bytes_are_symbols():
    assert _regex.spans("\udcff", r"\p{S}") == [(0, 1)]


def test_the_tables_are_unicode_15_0():
    assert unicode_class(0x1E030) == 1  # new in 15.0
    assert unicode_class(0x1C89) == 4  # new in 16.0
    assert lower_map()[0x10A0] == 0x2D00
    assert 0xA7CB not in lower_map()  # new in 16.0
