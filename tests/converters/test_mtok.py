"""The .mtok reader and writer: bytes, errors, laws."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.paths import shared_vocab
from tokenizers_lite.errors import SpecError
from vocab_converters import mtok
from vocab_converters._header import Header
from vocab_converters._nodes import DECODERS, NORMALIZERS, PRE_TOKENIZERS, Node, make

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
IDS = st.lists(st.integers(0, 2**31 - 1), max_size=4).map(tuple)
FLAG = st.integers(0, 1)
TABLE = st.lists(st.tuples(st.integers(0, 0x10FFFF), TEXT), max_size=3).map(tuple)


def nodes(layout):
    """All trees of a layout: leaves by their field letters, then sequences of them."""
    fields = {"b": FLAG, "s": TEXT, "I": st.integers(0, 9), "t": TABLE}

    def leaf(tag, letters):
        if letters == "bbbbT":
            plain = st.tuples(FLAG, FLAG, st.just(0), FLAG)
            return st.one_of(plain, st.tuples(FLAG, FLAG, st.just(1), FLAG, TABLE)).map(lambda f: Node(tag, f))
        return st.tuples(*(fields[letter] for letter in letters)).map(lambda f: Node(tag, f))

    leaves = st.one_of([leaf(tag, letters) for tag, (_, letters) in enumerate(layout.tags) if letters != "*"])
    sequence = next(tag for tag, (_, letters) in enumerate(layout.tags) if letters == "*")
    return st.recursive(
        leaves, lambda kids: st.lists(kids, max_size=3).map(lambda k: Node(sequence, (tuple(k),))), max_leaves=6
    )


@st.composite
def models(draw):
    tokens = draw(st.lists(TEXT, min_size=1, max_size=6))
    vocab = [(token, number) for number, token in enumerate(tokens)]
    kind = draw(st.integers(0, 2))
    if kind == 0:
        merges = draw(st.lists(st.tuples(*[st.integers(0, 2**32 - 1)] * 3), max_size=4))
        return mtok.BpeModel(vocab, merges, draw(st.booleans()), draw(st.booleans()))
    if kind == 1:
        return mtok.WordPieceModel(vocab, draw(TEXT), draw(TEXT), draw(st.integers(0, 200)))
    scored = [(token, number, draw(st.floats(allow_nan=False))) for token, number in vocab]
    return mtok.UnigramModel(scored, draw(st.integers(0, 5)), draw(st.booleans()))


@st.composite
def tails(draw):
    parts = [draw(TEXT), draw(TEXT), draw(st.integers(0, 255)), draw(TEXT)]
    shown = draw(st.integers(0, 5))
    if shown < 5:
        return mtok.Tail(*parts[:shown])
    ops = draw(st.lists(st.one_of(st.none(), st.integers(0, 2**32 - 1)), max_size=5))
    specials = sum(op is not None for op in ops)
    if ops and len(ops) + 4 * specials == 4 * len(ops):
        ops.append(None)  # the readers would take this length for the older form
    return mtok.Tail(*parts, tuple(map(mtok.PostOp, ops)))


FILES = st.builds(
    mtok.Mtok,
    st.builds(Header, st.just(4), IDS, IDS, IDS),
    nodes(NORMALIZERS),
    nodes(PRE_TOKENIZERS),
    models(),
    nodes(DECODERS),
    st.lists(st.builds(mtok.MtokToken, st.integers(0, 2**32 - 1), TEXT, *[st.booleans()] * 3), max_size=3).map(tuple),
    tails(),
)


@given(FILES)
def test_reading_gives_what_was_written(file):
    assert mtok.parse(mtok.emit(file)) == file


@given(FILES, st.data())
def test_a_cut_file_is_refused_or_ends_between_two_parts(file, data):
    whole = mtok.emit(file)
    cut = data.draw(st.integers(0, len(whole) - 1))

    message, again = "cut.mtok: line", None
    try:
        again = mtok.parse(whole[:cut], "cut.mtok")
    except SpecError as error:
        message = str(error)

    assert message.startswith(("cut.mtok: line", "cut.mtok: offset"))
    assert again is None or mtok.emit(again) == whole[:cut]


@given(FILES, st.data())
def test_damage_never_raises_anything_but_a_typed_error(file, data):
    whole = bytearray(mtok.emit(file))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))

    with contextlib.suppress(SpecError):
        mtok.parse(bytes(whole))


def test_the_apps_own_file_is_written_back_byte_for_byte():
    path = shared_vocab("hunyuan-mt") / "vocab_Hunyuan_MT.txt"
    data = path.read_bytes()

    record = mtok.parse(data, str(path))

    assert mtok.emit(record) == data
    assert (len(record.model.vocab), len(record.model.merges), len(record.added)) == (120000, 119758, 818)
    assert record.tail.post_ops is None


def small(**changes):
    parts = {
        "header": Header(4),
        "normalizer": Node(0),
        "pre_tokenizer": Node(0),
        "model": mtok.BpeModel([("a", 0), ("b", 1)], []),
        "decoder": make(DECODERS, "fuse"),
    }
    return mtok.Mtok(**{**parts, **changes})


def test_the_older_form_of_post_operations_is_recognised_by_its_length():
    tail = mtok.Tail("", "", 0, "", None, (5, 6))

    assert mtok.parse(mtok.emit(small(tail=tail))).tail == tail


def test_four_operations_with_three_specials_look_like_the_older_form():
    """The trap that writers avoid with a fifth, skipped operation."""
    ops = tuple(map(mtok.PostOp, (1, 2, None, 3)))

    read = mtok.parse(mtok.emit(small(tail=mtok.Tail("", "", 0, "", ops)))).tail

    assert read.post_ops is None
    assert read.old_post_ids is not None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"431 4\n0 0 0\n\n", "line 1"),
        (b"430 9\n0 0 0\n\n", "line 1"),
        (b"430 4\r\n0 0 0\r\n\r\n", "CRLF"),
        (b"430 4\n0 -1 0\n\n", "line 2"),
        (b"430 4\n2 0 0\n1\n", "line"),
        (b"430 4\n99999999 0 0\n1 2\n", "line"),
        (b"430 4\n0 0 0\n", "ends"),
        (b"430 4\n0 0 0\n\n\x09", "tag 9"),
        (b"430 4\n0 0 0\n\n\x04\xff\xff\xff\xff", "cannot fit"),
        (b"430 4\n0 0 0\n\n\x02\x02\x00\xff\xfe", "UTF-8"),
        (b"430 4\n0 0 0\n\n\x00\x00\x07\x00\x00\x00\x00", "model tag 7"),
        (b"430 4\n0 0 0\n\n\x00\x00\x00\xff\xff\xff\xff", "cannot fit"),
    ],
)
def test_broken_files_are_named_with_their_place(data, words):
    with pytest.raises(SpecError, match=r"x\.mtok") as error:
        mtok.parse(data, "x.mtok")

    assert words in str(error.value)


def test_an_id_outside_the_vocabulary_is_refused_because_readers_would_write_there():
    data = mtok.emit(small())
    broken = data.replace(b"\x01\x00b\x01\x00\x00\x00", b"\x01\x00b\x02\x00\x00\x00")

    with pytest.raises(SpecError, match="out of bounds"):
        mtok.parse(broken)


def test_deep_nesting_is_refused():
    data = b"430 4\n0 0 0\n\n" + b"\x04\x01\x00\x00\x00" * 100000

    with pytest.raises(SpecError, match="nested"):
        mtok.parse(data)
