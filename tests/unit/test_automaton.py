"""Automata cut as the patterns they were made from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import texts
from tokenizers_lite._automaton import Runner
from tokenizers_lite._automaton_build import build
from tokenizers_lite.patterns import SplitPattern

QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
PATTERNS = [
    QWEN,
    QWEN.replace(r"\p{N}|", r"\p{N}{1,3}|"),
    QWEN.replace(r"\p{L}+", r"[\p{L}\p{M}]+"),
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"\p{N}",
    r"\p{N}{1,3}",
    "[一-龥぀-ゟ゠-ヿ]+",
    (
        r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
        r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    r"a{2,3}?b|a(?=b)|(?:ab)*c|[^a]+\z",
]
RUNNERS = {pattern: (Runner(build(pattern)), SplitPattern(pattern)) for pattern in PATTERNS}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_real_patterns_are_small(pattern):
    automaton = build(pattern)

    assert len(automaton.steps()) // (automaton.classes + 1) < 60


@given(st.sampled_from(PATTERNS), texts())
def test_pieces_equal_the_regex(pattern, text):
    runner, regex = RUNNERS[pattern]

    assert runner.pieces(text) == regex.pieces(text)


@given(
    st.recursive(
        st.sampled_from(["a", "b", "[ab]", "[^a]", r"\s", "(?!a)b", "b(?=a)", r"a(?!\s)"]),
        lambda inner: st.one_of(
            st.builds("{}{}".format, inner, inner),
            st.builds("(?:{}|{})".format, inner, inner),
            st.builds("(?:{}){}".format, inner, st.sampled_from(["+", "*", "?", "+?", "{1,2}", "{2}", "*?"])),
        ),
        max_leaves=6,
    ),
    st.text("ab \n", max_size=12),
)
def test_random_patterns_equal_the_regex(pattern, text):
    automaton = build(pattern)
    if automaton is None:
        return

    assert Runner(automaton).pieces(text) == SplitPattern(pattern).pieces(text)


@pytest.mark.parametrize("pattern", ["a*", "(?<=a)b", "(a)\\1", "a++b", "a(?=bc)", "^a", r"a\b"])
def test_what_an_automaton_cannot_follow_is_declined(pattern):
    assert build(pattern) is None
