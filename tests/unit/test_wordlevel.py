"""The WordLevel engine equals tokenizers'."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import texts
from tokenizers_lite.errors import SpecError
from tokenizers_lite.models.wordlevel import WordLevel
from tokenizers_lite.spec import models

VOCAB = {"<unk>": 7, "a": 0, "né": 3, "": 4, "\U0001f600": 1, "ab": 9}


def test_a_piece_is_its_own_id_or_unk():
    model = WordLevel(models.WordLevel(VOCAB, "<unk>"))

    assert model.tokenize("né") == [3]
    assert model.tokenize("nope") == [7]
    assert model.tokenize_with_offsets("né\U0001f600") == [(7, 0, 3)]
    assert (model.token_to_id("ab"), model.id_to_token(9), model.id_to_token(2), model.vocab_size) == (9, "ab", None, 6)


def test_a_missing_unk_is_named_when_it_is_needed():
    model = WordLevel(models.WordLevel({"a": 0}, "<unk>"))

    assert model.tokenize("a") == [0]
    with pytest.raises(SpecError, match="<unk>"):
        model.tokenize("b")


@given(st.one_of(texts(list(VOCAB)), st.sampled_from(sorted(VOCAB))))
def test_equals_tokenizers(text):
    theirs = pytest.importorskip("tokenizers").models.WordLevel(VOCAB, "<unk>").tokenize(text)
    ours = WordLevel(models.WordLevel(VOCAB, "<unk>"))

    assert ours.tokenize(text) == [t.id for t in theirs]
    assert [(i, len(text[:s].encode()), len(text[:e].encode())) for i, s, e in ours.tokenize_with_offsets(text)] == [
        (t.id, *t.offsets) for t in theirs
    ]
