"""BPE: the short and the long way of merging equal the obvious one, and the model equals tokenizers'."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokenizers_lite
from tests.reference import bpe as reference
from tokenizers_lite.errors import SpecError
from tokenizers_lite.models.bpe import BPE, _merge_heap, merge, pair_table
from tokenizers_lite.spec import models

CHARS = "abcé中"


@st.composite
def vocabularies(draw):
    """Return (vocab, merges) with merges in random order, some naming the same product."""
    tokens = list(CHARS)
    merges = []
    for _ in range(draw(st.integers(0, 14))):
        pair = draw(st.sampled_from(tokens)), draw(st.sampled_from(tokens))
        if pair not in merges and len("".join(pair)) < 9:
            merges.append(pair)
            if "".join(pair) not in tokens:
                tokens.append("".join(pair))
    return {token: at for at, token in enumerate(tokens)}, draw(st.permutations(merges))


pieces = st.text(st.sampled_from(CHARS), max_size=40) | st.text(st.sampled_from("ab"), max_size=400)


@given(vocabularies(), pieces)
def test_both_ways_of_merging_equal_the_reference(vocabulary, piece):
    vocab, merges = vocabulary
    pairs = pair_table(vocab, merges, None)
    symbols = [vocab[char] for char in piece]
    texts = {id_: token for token, id_ in vocab.items()}

    expected = reference(list(piece), merges)

    assert [texts[id_] for id_ in merge(symbols.copy(), pairs)] == expected
    assert [texts[id_] for id_ in _merge_heap(symbols.copy(), pairs, None, 0.0)] == expected


@given(
    vocabularies(),
    st.text(st.sampled_from(CHARS + "xé€😀"), max_size=30),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, "<unk>"]),
    st.sampled_from([256, 255, 0]),
)
def test_options_equal_tokenizers(vocabulary, piece, fuse_unk, byte_fallback, ignore_merges, unk, n_bytes):
    tokenizers = pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")
    vocab, merges = vocabulary
    for token in ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256 - n_bytes, 256) if n_bytes)]:
        vocab.setdefault(token, len(vocab))
    options = {"unk_token": unk, "fuse_unk": fuse_unk, "byte_fallback": byte_fallback, "ignore_merges": ignore_merges}
    oracle = tokenizers.models.BPE(vocab, merges, **options)
    ours = BPE(models.BPE(vocab, tuple(merges), **options))

    expected = oracle.tokenize(piece)

    assert ours.tokenize(piece) == [token.id for token in expected]
    assert [row[0] for row in ours.tokenize_with_offsets(piece)] == [token.id for token in expected]


@given(vocabularies(), st.text(st.sampled_from(CHARS), min_size=1, max_size=12), st.sampled_from(["", "#", "é"]))
def test_affixes_equal_tokenizers(vocabulary, piece, prefix):
    tokenizers = pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")
    vocab, _ = vocabulary
    for char in CHARS:
        for token in (prefix + char, char + "</w>", prefix + char + "</w>"):
            vocab.setdefault(token, len(vocab))
    merges = [(char, prefix + other) for char in CHARS for other in CHARS if char + other in vocab]
    options = {"continuing_subword_prefix": prefix, "end_of_word_suffix": "</w>"}
    oracle = tokenizers.models.BPE(vocab, merges, **options)
    ours = BPE(models.BPE(vocab, tuple(merges), **options))

    assert ours.tokenize(piece) == [token.id for token in oracle.tokenize(piece)]


def test_dropout_of_one_leaves_the_characters():
    vocab = {"a": 0, "b": 1, "ab": 2}

    assert BPE(models.BPE(vocab, (("a", "b"),), dropout=1.0)).tokenize("abab") == [0, 1, 0, 1]
    assert BPE(models.BPE(vocab, (("a", "b"),), dropout=0.0)).tokenize("abab") == [2, 2]


def test_a_merge_of_unknown_tokens_is_named():
    with pytest.raises(SpecError, match=r"model\.merges\[1\]"):
        BPE(models.BPE({"a": 0, "b": 1, "ab": 2}, (("a", "b"), ("b", "x"))))


def test_unk_that_is_not_in_the_vocabulary_is_named():
    with pytest.raises(SpecError, match="unk_token"):
        BPE(models.BPE({"a": 0}, (), unk_token="<unk>")).tokenize("b")


def test_a_long_run_takes_n_log_n():
    vocab = {"a" * 2**n: n for n in range(11)}
    merges = tuple(("a" * 2**n, "a" * 2**n) for n in range(10))

    assert BPE(models.BPE(vocab, merges)).tokenize("a" * 200_000) == [10] * 195 + [8, 6]


@pytest.mark.parametrize("name", ["smollm2", "phi3.5"])
def test_tokens_that_are_known_to_be_their_own_bpe_are(name):
    tokenizer = tokenizers_lite.load(name)
    model = tokenizer._components.model
    merge_whole = tokenizer._components.pipeline._merge
    texts = {raw: id_ for id_ in range(model.vocab.size) if _is_text(raw := model.vocab.raw(id_))}
    merged = {raw: merge_whole(raw.decode()) for raw in texts}

    model.whole_pairs()
    known = {raw: id_ for raw in texts if (id_ := model.own(raw)) is not None}

    assert len(known) > 20_000
    assert all(merged[raw] == [id_] == [texts[raw]] for raw, id_ in known.items())


def _is_text(raw):
    try:
        return bool(raw.decode())
    except UnicodeDecodeError:
        return False
