"""Unigram gives tokenizers' ids and offsets."""

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.strategies import texts
from tokenizers_lite.errors import SpecError, VocabError
from tokenizers_lite.models import build
from tokenizers_lite.spec.models import Unigram as Spec

ALPHABET = "aab▁ é👍<unk>"
scores = st.one_of(st.integers(-5, 0).map(float), st.just(0.0), st.floats(-20, 5), st.floats(-1e300, 1e300))
entries = st.tuples(st.text(st.sampled_from(ALPHABET), max_size=4), scores)
BYTES = [(f"<0x{byte:02X}>", -1.0) for byte in range(256)]


@st.composite
def specs(draw):
    """Draw vocabularies with repeated and empty tokens, with and without bytes, some of them missing."""
    vocab = draw(st.lists(entries, max_size=24))
    vocab += draw(st.sampled_from([[], [("<unk>", 0.0)], [("<unk>", -30.0)]]))
    vocab += draw(st.sampled_from([[], BYTES, BYTES[:0xF0]]))
    vocab = draw(st.permutations(vocab)) if len(vocab) < 40 else vocab
    unk_id = draw(st.one_of(st.none(), st.integers(0, max(len(vocab) - 1, 0)))) if vocab else None
    if any(token == "<unk>" for token, _ in vocab) and draw(st.booleans()):
        unk_id = [token for token, _ in vocab].index("<unk>")
    return Spec(vocab, unk_id, draw(st.booleans()))


def oracle(spec):
    tokenizers = pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")
    return tokenizers.models.Unigram(list(spec.vocab), spec.unk_id, spec.byte_fallback)


def expected(model, text):
    """Return the oracle's tokens with offsets in characters, or None where it raises."""
    starts, size = {0: 0}, 0
    for at, char in enumerate(text, 1):
        size += len(char.encode())
        starts[size] = at
    try:
        return [(token.id, starts[token.offsets[0]], starts[token.offsets[1]]) for token in model.tokenize(text)]
    except Exception as error:
        if "unk_id" not in str(error):
            raise
        return None


def found(model, text):
    try:
        tokens = model.tokenize_with_offsets(text)
    except VocabError:
        return None
    assert model.tokenize(text) == [id_ for id_, _, _ in tokens]
    return tokens


@given(specs(), st.lists(st.sampled_from([*ALPHABET, "z", "aaaaaaaa", "<unk>"]), max_size=40).map("".join))
@example(Spec([("<unk>", 0.0), ("a", -1.0)], 0, False), "a<unk><unk>zz<unk>a")
@example(Spec([("<unk>", 0.0), ("zz", -1.0)], 0, False), "z")  # never a token twice unknown
@example(Spec([("<unk>", -1.0), *BYTES[:0xF0]], 0, True), "aé👍")
@example(Spec([("a", -1.0), ("a", -2.0), ("aa", -3.5)], None, False), "aaaa")
def test_handmade_vocabularies(spec, text):
    assert found(build(spec), text) == expected(oracle(spec), text)


@given(texts(["▁the", "the", "▁", "in", "ing"]))
def test_trained_vocabulary(text):
    spec = trained()

    assert found(build(spec), text) == expected(oracle(spec), text)


def trained():
    tokenizers = pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")
    if not hasattr(trained, "spec"):
        tokenizer = tokenizers.Tokenizer(tokenizers.models.Unigram())
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
        trainer = tokenizers.trainers.UnigramTrainer(vocab_size=300, unk_token="<unk>", special_tokens=["<unk>"])
        lines = [
            "the thing in the string sings",
            "bringing the ring in spring",
            "Straße für große Bären 中国 漢字",
        ] * 20
        tokenizer.train_from_iterator(lines, trainer)
        model = json.loads(tokenizer.to_str())["model"]
        trained.spec = Spec([(token, score) for token, score in model["vocab"]], model["unk_id"])
    return trained.spec


def test_without_unk_id_unknown_text_is_an_error():
    model = build(Spec([("a", -1.0)], None))

    assert model.tokenize("aa") == [0, 0]
    with pytest.raises(VocabError, match="'b'"):
        model.tokenize("ab")


def test_unk_id_outside_of_the_vocabulary_is_refused():
    with pytest.raises(SpecError, match=r"model\.unk_id"):
        build(Spec([("a", -1.0)], 1))


def test_vocabulary_access():
    model = build(Spec([("<unk>", 0.0), ("a", -1.0)], 0))

    assert (model.vocab_size, model.surface_unk_id) == (2, 0)
    assert (model.token_to_id("a"), model.token_to_id("b")) == (1, None)
    assert (model.id_to_token(1), model.id_to_token(2), model.id_to_token(-1)) == ("a", None, None)


@pytest.mark.parametrize("run", ["a", "z", "ab", "aaaab"])
def test_long_runs_take_linear_time(run):
    vocab = [("<unk>", 0.0), ("b", -2.0), *(("a" * size, -1.0 - size) for size in (1, 2, 3, 15, 200))]
    spec = Spec(vocab, 0)
    text = run * 20_000

    started = time.perf_counter()
    tokens = build(spec).tokenize_with_offsets(text)
    taken = time.perf_counter() - started

    assert tokens == expected(oracle(spec), text)
    assert taken < 5
