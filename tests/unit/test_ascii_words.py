"""The quick way of BERT models on ASCII equals the components it stands in for."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokenizers_lite
from tokenizers_lite import Tokenizer, _ascii_words
from tokenizers_lite.formats import compact
from tokenizers_lite.normalizers import build as build_normalizer
from tokenizers_lite.pre_tokenizers import build as build_pre_tokenizer
from tokenizers_lite.spec import normalizers, pre_tokenizers
from vocab_converters.compact import write

ASCII = st.text(st.characters(max_codepoint=127), max_size=80)
MIXED = st.text(st.one_of(st.characters(max_codepoint=127), st.sampled_from("éß中\u0301 İ")), max_size=40)


@given(MIXED, st.booleans())
def test_the_normalizer_is_berts(text, lowercase):
    full = build_normalizer(normalizers.BertNormalizer(lowercase=lowercase)).normalize

    assert _ascii_words.normalizer(lowercase, full)(text) == full(text)


@given(ASCII)
def test_words_are_berts(text):
    if text.isprintable():
        full = build_pre_tokenizer(pre_tokenizers.BertPreTokenizer())

        assert _ascii_words.words(text) == full.pre_tokenize(text, True)


@pytest.fixture(scope="module")
def quick_and_plain():
    quick = tokenizers_lite.load("bge-small-en")
    return quick, Tokenizer(quick.spec)


@given(st.lists(MIXED, min_size=1, max_size=6))
def test_a_quick_start_gives_the_ids_of_the_plain_tokenizer(quick_and_plain, texts):
    quick, plain = quick_and_plain

    assert list(map(quick.encode, texts)) == list(map(plain.encode, texts))


def test_ids_stay_equal_when_the_quick_way_has_had_enough():
    quick = tokenizers_lite.load("bge-small-en")
    plain = Tokenizer(quick.spec)
    text = "The quick brown fox's 12 jumps, unbelievably! " * 3

    for number in range(200):
        assert quick.encode(f"{text} w{number}x") == plain.encode(f"{text} w{number}x")


def test_words_on_an_index_are_the_vocabulary(tmp_path):
    spec = tokenizers_lite.load("bge-small-en").spec
    path = str(tmp_path / "words.tokc")
    write(spec, path)
    vocab = compact.read(path).model.vocab
    held = dict(spec.model.vocab.items())

    assert type(vocab).__name__ == "WordVocab"
    assert vocab == held
    assert pickle.loads(pickle.dumps(vocab)) == held
    assert len(vocab) == len(list(vocab)) == len(held)
    assert "hello" in vocab
    assert vocab["hello"] == held["hello"]
    assert vocab.get("no such word") is None
    assert vocab.token_of(len(held)) is vocab.token_of(-1) is None
    with pytest.raises(KeyError):
        vocab["no such word"]
    for word in [*held, "no such word"] * 2:  # past the point where a dict takes over
        assert vocab.id_of(word) == held.get(word)
