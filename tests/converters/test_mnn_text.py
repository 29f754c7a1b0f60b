"""The text vocabularies' reader and writer: bytes, errors, laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenizers_lite.errors import SpecError
from vocab_converters import mnn_text
from vocab_converters._header import Header

WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n"), min_size=1, max_size=6)
LINES = WORDS.filter(lambda text: not text.endswith("\r"))
PARTS = LINES.filter(lambda text: " " not in text)
IDS = st.lists(st.integers(0, 2**31 - 1), max_size=4).map(tuple)


def headers(kind):
    return st.builds(Header, st.just(kind), IDS, IDS, IDS, st.booleans())


PIECES = st.tuples(WORDS, st.floats(width=32, allow_nan=False), st.integers(1, 6))
FILES = st.one_of(
    st.builds(mnn_text.SentencePieceVocab, headers(0), st.lists(PIECES, max_size=4), st.integers(0, 1)),
    st.builds(mnn_text.TokenVocab, headers(1), st.lists(st.binary(min_size=1, max_size=5), max_size=4)),
    st.builds(mnn_text.TokenVocab, headers(2), st.lists(st.binary(max_size=5), max_size=4)),
    st.builds(
        mnn_text.MergeVocab, headers(3), st.lists(LINES, max_size=4), st.lists(st.tuples(PARTS, PARTS), max_size=3)
    ),
)


@given(FILES)
def test_reading_gives_what_was_written(file):
    if getattr(file, "missing", 0) and not file.pieces:
        return  # a count of one and no line is a file without its vocabulary

    data = mnn_text.emit(file)

    assert mnn_text.parse(data) == file
    assert mnn_text.emit(mnn_text.parse(data)) == data


@given(FILES, st.data())
def test_damage_never_raises_anything_but_a_typed_error(file, data):
    whole = bytearray(mnn_text.emit(file))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))

    message = "line"
    try:
        mnn_text.parse(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    except SpecError as error:
        message = str(error)

    assert "line" in message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"430 0\n0 0 0\n\n3\nYQ== -1.0 1\n", "line 4"),
        (b"430 0\n0 0 0\n\n1\nYQ== -1.0 9\n", "line 5"),
        (b"430 0\n0 0 0\n\n1\nYQ== 1\n", "line 5"),
        (b"430 0\n0 0 0\n\n1\n!!! 0 1\n", "line 5"),
        (b"430 0\n0 0 0\n\n1\n/w== 0 1\n", "not UTF-8"),
        (b"430 0\n0 0 0\n\n1\nYQ== -1.0 1\r\n", "line 5"),
        (b"430 0\n0 0 0\n\n1\nYQ== -1.0 1\nYg== 0 1\n", "line 6"),
        (b"430 1\n0 0 0\n\n-1\n", "line 4"),
        (b"430 1\n0 0 0\n\n99999999999999\n", "line 4"),
        (b"430 1\n0 0 0\n\n1\r\nYQ==\r\n", "line 4"),
        (b"430 3\n0 0 0\n\n1 1\na\nab\n", "line 6"),
        (b"430 3\n0 0 0\n\n1 0\na\r\n", "CRLF"),
        (b"430 3\n0 0 0\n\n1 0\n\xff\n", "line 5"),
    ],
)
def test_broken_files_are_named_with_their_line(data, words):
    with pytest.raises(SpecError, match=r"x\.txt") as error:
        mnn_text.parse(data, "x.txt")

    assert words in str(error.value)


def test_the_stock_gemma3_file_promises_one_piece_too_many():
    data = b"430 0\n0 0 0\n\n2\nYQ== -1.0 1\n"

    vocab = mnn_text.parse(data)

    assert (len(vocab.pieces), vocab.missing) == (1, 1)
    assert mnn_text.emit(vocab) == data


@pytest.mark.parametrize(
    "vocab",
    [
        mnn_text.TokenVocab(Header(1), [b""]),
        mnn_text.SentencePieceVocab(Header(0), [("", 0.0, 1)]),
        mnn_text.MergeVocab(Header(3), ["a\nb"], []),
        mnn_text.MergeVocab(Header(3), ["a"], [("a b", "c")]),
    ],
)
def test_lines_that_readers_would_misread_are_not_written(vocab):
    with pytest.raises(SpecError):
        mnn_text.emit(vocab)
