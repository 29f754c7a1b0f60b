"""The WordPiece engine equals tokenizers'."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenizers_lite.errors import SpecError
from tokenizers_lite.models.wordpiece import CACHE_PIECE, WordPiece
from tokenizers_lite.spec import models

VOCAB = {"[UNK]": 0, "un": 1, "##aff": 2, "##able": 3, "a": 4, "##a": 5, "é": 6, "##é": 7, "##\U0001f600": 8, "aff": 9}


def engine(**options):
    return WordPiece(models.WordPiece(VOCAB, **options))


def test_longest_match_first():
    assert engine().tokenize("unaffable") == [1, 2, 3]
    assert engine().tokenize_with_offsets("aé\U0001f600") == [(4, 0, 1), (7, 1, 2), (8, 2, 3)]


def test_one_unknown_part_makes_the_whole_piece_unknown():
    assert engine().tokenize_with_offsets("unaffx") == [(0, 0, 6)]


def test_too_long_a_piece_is_unknown():
    assert engine(max_input_chars_per_word=3).tokenize("aaa") == [4, 5, 5]
    assert engine(max_input_chars_per_word=3).tokenize("aaaa") == [0]


def test_a_missing_unk_is_named_when_it_is_needed():
    with pytest.raises(SpecError, match="unk_token"):
        engine(unk_token="<unk>").tokenize("x")


def test_vocabulary_access():
    model = engine()
    assert (model.token_to_id("##a"), model.id_to_token(5), model.id_to_token(99), model.vocab_size) == (
        5,
        "##a",
        None,
        10,
    )


PIECES = st.lists(st.sampled_from(["un", "aff", "able", "a", "é", "\U0001f600", "##", "#", "x", "[UNK]"])).map("".join)


@given(
    PIECES,
    st.sampled_from(["##", "", "#", "é"]),
    st.sampled_from([0, 1, 3, 100, 1 << 40]),
    st.sampled_from(["[UNK]", "a"]),
)
def test_equals_tokenizers(piece, prefix, limit, unk):
    options = {"unk_token": unk, "continuing_subword_prefix": prefix, "max_input_chars_per_word": limit}
    theirs = pytest.importorskip("tokenizers").models.WordPiece(VOCAB, **options).tokenize(piece)
    model = engine(**options)

    assert model.tokenize(piece) == [t.id for t in theirs]
    assert [
        (i, len(piece[:s].encode()), len(piece[:e].encode())) for i, s, e in model.tokenize_with_offsets(piece)
    ] == [(t.id, *t.offsets) for t in theirs]


@given(st.integers(CACHE_PIECE - 3, CACHE_PIECE + 9), st.sampled_from(["a", "é", "aff"]))
def test_long_pieces_give_what_short_ones_do(size, unit):
    piece = "un" + unit * size
    model = engine(max_input_chars_per_word=1 << 40)
    ids = [model.token_to_id("un"), *[model.token_to_id("##" + unit)] * size]
    assert model.tokenize(piece) == (ids if None not in ids else [0])


def test_a_long_run_takes_linear_time():
    model = engine(max_input_chars_per_word=1 << 40)
    start = time.perf_counter()
    assert model.tokenize("a" * 200_000) == [4] + [5] * 199_999
    assert time.perf_counter() - start < 5
