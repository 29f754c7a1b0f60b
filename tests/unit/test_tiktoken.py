"""Ranks become merges; ids are those of the tiktoken library."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import texts
from tokenizers_lite.byte_alphabet import from_alphabet
from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats import _families, tiktoken
from tokenizers_lite.spec import normalizers

BYTES = [bytes([i]) for i in range(256)]


def lines(tokens):
    return b"".join(base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens))


def test_known_ranks_need_a_pattern_when_their_hash_is_not_known():
    with pytest.raises(SpecError, match="pattern="):
        tiktoken.parse(lines(BYTES))


def test_arguments_make_the_spec():
    spec = tiktoken.parse(
        lines([*BYTES, b"ab", b"abc"]), pattern=r"\S+|\s+", special_tokens={"<x>": 300}, normalizer=normalizers.NFC()
    )

    assert spec.model.merges == [("a", "b"), ("ab", "c")]
    assert not spec.model.ignore_merges  # every token can be merged
    assert [(t.id, t.content, t.special, t.normalized) for t in spec.added_tokens] == [(300, "<x>", True, False)]
    assert spec.normalizer == normalizers.NFC()
    assert spec.source.kind == "tiktoken"


def test_a_token_that_no_merge_makes_is_found_whole():
    # "abcd" cannot be merged: "bc" comes first and then neither "abc" nor "bcd" has a rank.
    spec = tiktoken.parse(lines([*BYTES, b"bc", b"ab", b"cd", b"abcd"]), pattern="[a-z]+|.")

    assert ("ab", "cd") not in spec.model.merges
    assert spec.model.ignore_merges


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"IQ== 0\nIQ\n", "line 2"),
        (b"IQ== 0\n!!!! 1\n", "line 2"),
        (b"IQ== x\n", "line 1"),
        (b"IQ== 4294967296\n", "line 1"),
        (b"IQ== -1\n", "line 1"),
        (b"IQ== 0\n", "0x00 has no rank"),
        (lines(BYTES) + b"YWI= 3\n", "share a rank"),
    ],
)
def test_broken_files_are_refused_with_their_line(data, where):
    with pytest.raises(SpecError) as caught:
        tiktoken.parse(data, pattern=".")
    assert where in str(caught.value)


@pytest.mark.parametrize("special", [{"<x>": 3}, {"<x>": -1}, {"": 300}, {"<x>": 300, "<y>": 300}])
def test_special_tokens_need_ids_of_their_own(special):
    with pytest.raises(SpecError, match="id of its own"):
        tiktoken.parse(lines(BYTES), pattern=".", special_tokens=special)


@given(st.binary(max_size=30), st.integers(0, 3000))
def test_damaged_bytes_give_a_spec_or_a_spec_error(patch, at):
    data = lines(BYTES)
    with suppress(SpecError):
        tiktoken.parse(data[:at] + patch + data[at + len(patch) // 2 :], pattern=".")


def reference_pair(token, ranks):
    """Merge as tiktoken's _educational.py does, stopping before the token itself."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        best = min(
            ((ranks[parts[i] + parts[i + 1]], i) for i in range(len(parts) - 1) if parts[i] + parts[i + 1] in ranks),
            default=(None, 0),
        )
        if best[0] is None or best[0] >= ranks[token]:
            return None
        parts[best[1] : best[1] + 2] = [parts[best[1]] + parts[best[1] + 1]]
    return tuple(parts)


TOKENS = st.lists(st.text("ab ", min_size=2, max_size=6).map(str.encode), unique=True, max_size=25)


@given(TOKENS)
def test_recovered_merges_are_those_of_a_plain_simulation(tokens):
    ranks = {token: rank for rank, token in enumerate([*BYTES, *tokens])}
    vocab, merges, unreachable = tiktoken.recover(ranks)
    expected = [pair for token in tokens if (pair := reference_pair(token, ranks))]

    assert [(from_alphabet(a), from_alphabet(b)) for a, b in merges] == expected
    assert unreachable == len(tokens) - len(expected)
    assert {from_alphabet(token): rank for token, rank in vocab.items()} == ranks


@given(TOKENS, texts(["ab", "ba ", "  "]))
def test_ids_are_those_of_tiktoken(tokens, text):
    """The pattern is one that means the same to both regex engines."""
    library = pytest.importorskip("tiktoken")
    from tokenizers_lite.tokenizer import Tokenizer

    pattern = r"[a-z]+|[^a-z]"
    ranks = {token: rank for rank, token in enumerate([*BYTES, *tokens])}
    theirs = library.Encoding("x", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    ours = Tokenizer(tiktoken.parse(lines([*BYTES, *tokens]), pattern=pattern))

    assert list(ours.encode(text)) == theirs.encode_ordinary(text)
    assert ours.decode(ours.encode(text)) == text


# White space is where tiktoken's and Hugging Face's spelling of this pattern part.
CL100K = (
    r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|"""
    r"""\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
)


@given(st.text("aé1 \n\r\t'!sS中\u3000", max_size=14))
def test_cl100k_splits_as_tiktoken_does(text):
    library = pytest.importorskip("tiktoken")
    from tokenizers_lite.tokenizer import Tokenizer

    # Every pair of equal bytes is a token, so that cuts between equal characters show.
    pairs = [byte * 2 for byte in BYTES] + [b"\n ", b"\r\n", b" \n", b" a", b"'s", b"\n\r"]
    ranks = {token: rank for rank, token in enumerate([*BYTES, *pairs])}
    theirs = library.Encoding("x", pat_str=CL100K, mergeable_ranks=ranks, special_tokens={})
    ours = Tokenizer(tiktoken.parse(lines([*BYTES, *pairs]), pattern=_families.CL100K))

    assert list(ours.encode(text)) == theirs.encode_ordinary(text)


def test_special_tokens_of_known_files():
    assert tiktoken._llama3()["<|eot_id|>"] == 128009
    assert len(tiktoken._llama3()) == 256
    assert tiktoken._qwen()["<|im_end|>"] == 151645
    assert tiktoken._qwen35()["<|audio_pad|>"] == 248076
    assert tiktoken._cl100k()["<|endofprompt|>"] == 100276
