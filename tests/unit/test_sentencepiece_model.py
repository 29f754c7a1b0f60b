"""Sentencepiece models give the library's ids, offsets and texts."""

import pickle
import time
from functools import lru_cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests import spm
from tests.paths import corpora, shared_corpus, shared_vocab
from tests.strategies import texts
from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats.sentencepiece import parse, read
from tokenizers_lite.models.sentencepiece import build

SYMBOLS = ("ab", "abc", "▁the", "th", "  ", " a", "é", "👍", "a b", "▁▁", "...", "\t", "x▁y", "ﬁ", "が", "the d")

# Each option at work in some model, and in company it may disagree with.
TRAINED = {
    "bpe": {"model_type": "bpe"},
    "bpe-identity-bytes": {
        "model_type": "bpe",
        "normalization_rule_name": "identity",
        "byte_fallback": True,
        "vocab_size": 800,
        "remove_extra_whitespaces": False,
        "allow_whitespace_only_pieces": True,
    },
    "bpe-user-defined": {
        "model_type": "bpe",
        "normalization_rule_name": "identity",
        "user_defined_symbols": SYMBOLS,
        "add_dummy_prefix": False,
        "remove_extra_whitespaces": False,
        "split_by_whitespace": False,
    },
    "bpe-squeezed-user-defined": {
        "model_type": "bpe",
        "user_defined_symbols": SYMBOLS,
        "control_symbols": ("q", "<c>"),
    },
    "bpe-suffix": {"model_type": "bpe", "treat_whitespace_as_suffix": True, "unk_surface": "?"},
    "unigram": {"model_type": "unigram"},
    "unigram-bytes": {"model_type": "unigram", "byte_fallback": True, "vocab_size": 800, "split_by_whitespace": False},
    "unigram-user-defined": {"model_type": "unigram", "user_defined_symbols": SYMBOLS, "split_digits": True},
    "unigram-suffix": {
        "model_type": "unigram",
        "treat_whitespace_as_suffix": True,
        "normalization_rule_name": "nfkc_cf",
        "remove_extra_whitespaces": False,
        "unk_surface": "",
    },
    "word": {"model_type": "word", "vocab_size": 200},
    "word-user-defined": {"model_type": "word", "vocab_size": 200, "user_defined_symbols": SYMBOLS},
    "char": {"model_type": "char", "normalization_rule_name": "nmt_nfkc_cf"},
    "char-user-defined": {"model_type": "char", "user_defined_symbols": SYMBOLS, "add_dummy_prefix": False},
}
# minicpm-1b and minicpm3 have minicpm4's file, phi-3.5-mini-instruct has llama2's.
REAL = ["llama2", "minicpm-2b", "minicpm4"]
# Many models share the time that other tests spend on one.
fewer = settings(max_examples=max(10, settings.default.max_examples // 4))


def both(data):
    """Return the library's processor and our engine."""
    return spm.oracle().SentencePieceProcessor(model_proto=data), build(parse(data).model)


@lru_cache
def trained(name):
    theirs, ours = both(spm.train(**TRAINED[name]))
    pieces = [text for text, _, _ in ours.spec.pieces if text[:3] != "<0x"]
    return theirs, ours, pieces + [text.replace("▁", " ") for text in pieces]


@lru_cache
def real(name):
    path = str(shared_vocab(name) / "tokenizer.model")
    return spm.oracle().SentencePieceProcessor(path), build(read(path).model)


def check(theirs, ours, text):
    assert ours.encode(text) == theirs.encode(text)
    mapping = theirs.encode(text, return_type="offset_mapping")
    expected = [(id_, *offsets) for id_, offsets in zip(mapping["ids"], mapping["offsets"], strict=True)]
    assert ours.encode_with_offsets(text) == expected


def check_decoding(theirs, ours, ids):
    text = ours.decode(ids)
    assert text == theirs.decode(ids)
    stream = ours.stream()
    assert "".join([*map(stream.push, ids), stream.finish()]) == text
    if not ours.spec.denormalizer_charsmap:
        # Of invalid bytes each one becomes a U+FFFD.
        raw = ours.decode_bytes(ids).decode("utf-8", "surrogateescape")
        assert "".join("\ufffd" if "\udc80" <= char <= "\udcff" else char for char in raw) == text


@pytest.mark.parametrize("name", TRAINED)
@fewer
@given(data=st.data())
def test_trained_models(name, data):
    theirs, ours, pieces = trained(name)
    text = data.draw(texts(pieces))
    own = theirs.encode(text)

    check(theirs, ours, text)
    check_decoding(theirs, ours, own)
    byte_heavy = st.one_of(st.integers(0, len(theirs) - 1), st.integers(0, 300).map(lambda i: i % len(theirs)))
    check_decoding(theirs, ours, data.draw(st.lists(byte_heavy, max_size=12)))


@lru_cache
def charsmaps():
    """Return maps: none, NFKC, and rules no text needs but every case of the code does."""
    nfkc = parse(spm.train(model_type="char")).model.precompiled_charsmap
    return None, nfkc, CRAFTED


CRAFTED = spm.compiled({"a": "b", "a ": "  ", "aab": " ▁", "é": "", "▁": " ", " é": "a  a", "aaa": "a"})


@pytest.mark.parametrize("charsmap", [None, "nfkc", "crafted"])
@fewer
@given(data=st.data())
def test_handmade_models(charsmap, data):
    maps = dict(zip([None, "nfkc", "crafted"], charsmaps(), strict=True))
    proto = data.draw(spm.models((maps[charsmap],)))
    try:
        theirs, ours = both(proto)
    except (RuntimeError, SpecError):
        return  # that both refuse it is tested with the reader
    alphabet = st.sampled_from([*spm.ALPHABET, "z", "\0", "<s>", "  ", "aaaaaaaa"])
    text = data.draw(st.lists(alphabet, max_size=40).map("".join))

    check(theirs, ours, text)
    check_decoding(theirs, ours, theirs.encode(text))
    check_decoding(theirs, ours, data.draw(st.lists(st.integers(0, len(theirs) - 1), max_size=8)))


@pytest.mark.parametrize("name", ["llama2", "minicpm-2b"])
@given(text=texts())
@example(text="<s>")
@example(text="</s><unk><0x0A>")
@example(text="▁ \u2581")
@example(text="12 <reserved_9>> <reserved_999><h2/><h")
def test_real_models(name, text):
    theirs, ours = real(name)

    check(theirs, ours, text)
    check_decoding(theirs, ours, theirs.encode(text))


@pytest.mark.parametrize("name", REAL)
def test_corpora(name):
    theirs, ours = real(name)
    for corpus in corpora():
        text = shared_corpus(corpus)
        for document in [*text[:5000].split("\n"), text[:8000], text[-8000:]]:
            ids = theirs.encode(document)
            assert ours.encode(document) == ids
            assert ours.decode(ids) == theirs.decode(ids)


def test_every_piece_of_a_real_model():
    theirs, ours = real("minicpm4")
    texts_ = [text for text, _, _ in ours.spec.pieces][::7]

    assert [ours.encode(text) for text in texts_] == theirs.encode(texts_)
    assert [ours.decode([id_]) for id_ in range(0, len(theirs), 7)] == theirs.decode(
        [[id_] for id_ in range(0, len(theirs), 7)]
    )


@pytest.mark.parametrize("name", ["bpe", "bpe-user-defined", "unigram", "unigram-user-defined", "char", "word"])
@pytest.mark.parametrize("run", ["a", " ", "\n", "ab", "か\u3099", "the ", "\x00", "▁"])
def test_long_runs_take_linear_time(name, run):
    theirs, ours, _ = trained(name)
    text = run * 10_000

    started = time.perf_counter()
    ids = ours.encode(text)
    taken = time.perf_counter() - started

    assert ids == theirs.encode(text)
    assert taken < 5  # quadratic would be minutes


def test_long_sums_of_scores():
    # Single precision, and sums beyond 100,000 are taken back (unigram_model.cc kScoreResetThreshold).
    pieces = [("<unk>", 0.0, 2), ("a", -7000.5, 1), ("aa", -14000.7, 1), ("aaa", -21001.9, 1), ("b", -0.1, 1)]
    theirs, ours = both(spm.model(pieces, 1, normalizer=spm.rules(None, False, False)))

    for text in ("a" * 1000, "ab" * 500 + "aab" * 300, "a" * 30 + "c" * 30 + "aaab" * 200):
        check(theirs, ours, text)


def test_a_matcher_looks_at_64_matches():
    symbols = [("x" * size, 0.0, 4) for size in range(1, 71)]
    theirs, ours = both(spm.model([("<unk>", 0.0, 2), *symbols], 2))

    for size in (1, 63, 64, 65, 70, 200):
        check(theirs, ours, "x" * size + "y")


def test_a_character_map_looks_at_32_matches():
    rules = {"a" * size: f"{size} " for size in range(1, 40)}
    pieces = [("<unk>", 0.0, 2), *((digit, 0.0, 1) for digit in "0123456789▁a")]
    theirs, ours = both(spm.model(pieces, 4, normalizer=spm.rules(spm.compiled(rules))))

    for size in (1, 31, 32, 33, 39, 40, 100):
        check(theirs, ours, "a" * size)


def test_an_unused_piece_is_taken_apart_as_last_put_together():
    pieces = [("<unk>", 0.0, 2), ("a", -9.0, 1), ("b", -9.0, 1), ("c", -9.0, 1)]
    pieces += [("ab", -1.0, 1), ("bc", -2.0, 1), ("abc", -0.5, 5), ("▁", -3.0, 1), ("bcb", -1.5, 5)]
    theirs, ours = both(spm.model(pieces, 2))

    for text in ("abc", "bcb", "abcb abc", "bcabcbc"):
        check(theirs, ours, text)


def test_control_pieces_in_text_are_text():
    theirs, ours, _ = trained("bpe")

    assert 1 not in ours.encode("<s>a</s>")
    check(theirs, ours, "<s>a</s>")


def test_ids_out_of_range_are_passed_over():
    _, ours, _ = trained("bpe")
    ids = ours.encode("the dog")

    assert ours.decode([-1, *ids, ours.vocab_size, 1 << 40]) == "the dog"


def test_vocabulary_access():
    theirs, ours, _ = trained("bpe-user-defined")

    assert ours.vocab_size == len(theirs)
    for id_ in range(ours.vocab_size):
        assert ours.token_to_id(ours.id_to_token(id_)) == id_ == theirs.piece_to_id(theirs.id_to_piece(id_))
    assert ours.token_to_id("no such piece") is None
    assert ours.id_to_token(ours.vocab_size) is None
    assert ours.id_to_token(-1) is None


def test_stream_holds_back_half_characters():
    data = spm.model([("<unk>", 0.0, 2), ("a", 0.0, 1), *spm.BYTES], 2, fallback=True)
    _, ours = both(data)
    byte = {value: 2 + value for value in range(256)}

    stream = ours.stream()
    given_ = [stream.push(byte[value]) for value in "é€".encode()]

    assert given_ == ["", "é", "", "", "€"]
    assert stream.push(byte[0xE2]) == ""
    assert stream.push(1) == "\ufffda"
    assert stream.finish() == ""


def test_pickling_keeps_the_model():
    _, ours, _ = trained("unigram")

    assert pickle.loads(pickle.dumps(ours)).encode("the dog") == ours.encode("the dog")


@settings(max_examples=20)
@given(data=st.data())
def test_words_are_independent(data):
    """What BPE cuts before segmenting is what it would get segmenting the whole."""
    name = data.draw(st.sampled_from(["bpe", "bpe-identity-bytes", "bpe-user-defined"]))
    _, ours, pieces = trained(name)
    text = ours._normalizer.normalize(data.draw(texts(pieces)))
    segmenter = ours._segmenter

    by_word = [piece for word in segmenter.words(text) for piece in segmenter.segment(word)]

    assert by_word == segmenter._segment_recording(text)
