"""Encodings: lookups, truncation and padding, each compared with tokenizers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.encodings import assert_same, ours
from tokenizers_lite.encoding import Encoding, TruncationError, merge, pad, pad_batch, truncate, truncate_pair
from tokenizers_lite.errors import SpecError
from tokenizers_lite.spec import Padding, Truncation

tokenizers = pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")

TEXTS = st.lists(st.sampled_from(["a", "b", "c", "ab", "abc"]), max_size=9).map(" ".join)
DIRECTIONS = st.sampled_from(["Left", "Right"])


def oracle():
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import WhitespaceSplit

    tokenizer = tokenizers.Tokenizer(BPE({"a": 0, "b": 1, "c": 2, "ab": 3}, [("a", "b")]))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    return tokenizer


@given(TEXTS, st.integers(0, 10), st.integers(0, 4), DIRECTIONS)
def test_truncating_one_input_equals_the_oracle(text, max_length, stride, direction):
    tokenizer = oracle()
    plain = ours(tokenizer.encode(text))
    try:
        tokenizer.enable_truncation(max_length, stride=stride, direction=direction.lower())
    except ValueError:
        return  # the oracle refuses the parameters when they are set
    if 0 < max_length <= stride and len(plain) > max_length:
        with pytest.raises(TruncationError):
            truncate(plain, max_length, stride, direction)
        return
    assert_same(truncate(plain, max_length, stride, direction), tokenizer.encode(text))


@given(
    TEXTS,
    TEXTS,
    st.integers(0, 14),
    st.sampled_from(["longest_first", "only_first", "only_second"]),
    DIRECTIONS,
)
def test_truncating_a_pair_equals_the_oracle(text, other, max_length, strategy, direction):
    tokenizer = oracle()
    a, b = ours(tokenizer.encode(text)), ours(tokenizer.encode(other), 1)
    tokenizer.enable_truncation(max_length, strategy=strategy, direction=direction.lower())
    named = strategy.title().replace("_", "")
    try:
        expected = tokenizer.encode(text, other)
    except Exception:  # the bindings raise nothing more precise
        with pytest.raises(TruncationError, match="must go"):
            truncate_pair(a, b, Truncation(max_length, named, 0, direction))
        return
    a, b = truncate_pair(a, b, Truncation(max_length, named, 0, direction))
    assert_same(merge([a.in_sequence(0), b.in_sequence(1)]), expected)


@given(
    st.lists(TEXTS, min_size=1, max_size=4),
    st.none() | st.integers(0, 12),
    st.none() | st.integers(0, 8),
    DIRECTIONS,
    st.none() | st.integers(1, 4),
)
def test_padding_equals_the_oracle(texts, fixed, multiple, direction, max_length):
    tokenizer = oracle()
    encodings = [ours(tokenizer.encode(text)) for text in texts]
    if max_length is not None:
        tokenizer.enable_truncation(max_length)
        encodings = [truncate(encoding, max_length) for encoding in encodings]
    tokenizer.enable_padding(
        direction=direction.lower(),
        pad_id=9,
        pad_type_id=3,
        pad_token="<p>",
        length=fixed,
        pad_to_multiple_of=multiple,
    )
    padded = pad_batch(encodings, Padding(fixed, direction, multiple, 9, 3, "<p>"))
    for mine, theirs in zip(padded, tokenizer.encode_batch(texts), strict=True):
        assert_same(mine, theirs)


@given(TEXTS, TEXTS, st.integers(0, 6), DIRECTIONS)
def test_lookups_equal_the_oracle(text, other, extra, direction):
    tokenizer = oracle()
    a, b = ours(tokenizer.encode(text)).in_sequence(0), ours(tokenizer.encode(other), 1).in_sequence(1)
    mine = merge([a, b])
    mine = pad(mine, len(mine) + extra, Padding(direction=direction))
    tokenizer.enable_padding(length=len(mine), direction=direction.lower())
    theirs = tokenizer.encode(text, other)
    for token in range(len(mine) + 2):
        assert mine.token_to_sequence(token) == theirs.token_to_sequence(token)
        assert mine.token_to_chars(token) == theirs.token_to_chars(token)
        assert mine.token_to_word(token) == theirs.token_to_word(token)
    for sequence in range(2):
        for position in range(max(len(text), len(other)) + 1):
            assert mine.char_to_token(position, sequence) == theirs.char_to_token(position, sequence)
            assert mine.char_to_word(position, sequence) == theirs.char_to_word(position, sequence)
        for word in range(10):
            assert mine.word_to_tokens(word, sequence) == theirs.word_to_tokens(word, sequence)
            assert mine.word_to_chars(word, sequence) == theirs.word_to_chars(word, sequence)


def test_an_encoding_is_frozen_and_a_value():
    encoding = Encoding.of([1], ["a"], [(0, 1)], [0])

    with pytest.raises(AttributeError):
        encoding.ids = (2,)
    assert encoding == Encoding.of([1], ["a"], [(0, 1)], [0])
    assert hash(encoding) == hash(Encoding.of([1], ["a"], [(0, 1)], [0]))


def test_errors_name_the_way_out():
    one = Encoding.of([1, 2], ["a", "b"], [(0, 1), (1, 2)], [0, 0])

    with pytest.raises(TruncationError, match="pass a second text"):
        truncate_pair(one, None, Truncation(1, "OnlySecond"))
    with pytest.raises(TruncationError, match="special tokens"):
        truncate_pair(one, None, Truncation(1), n_added=2)
    with pytest.raises(TruncationError, match="stride below 1"):
        truncate(one, 1, stride=1)
    with pytest.raises(SpecError, match="Shortest"):
        truncate_pair(one, None, Truncation(1, "Shortest"))
    with pytest.raises(SpecError, match="Up"):
        truncate(one, 1, direction="Up")
    with pytest.raises(SpecError, match="Up"):
        pad(one, 3, Padding(direction="Up"))
