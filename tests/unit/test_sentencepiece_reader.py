"""Sentencepiece files are read for what they say, and refused when the library refuses them."""

import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import spm
from tests.paths import shared_vocab
from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats.sentencepiece import parse, read
from tokenizers_lite.models.sentencepiece import build

PIECES = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("a", -1.0, 1), ("▁b", -2.5, 4), ("c", -3.0, 5)]


def load_oracle(data):
    return spm.oracle().SentencePieceProcessor(model_proto=data)


def test_fields_are_read():
    data = spm.model(
        PIECES,
        2,
        fallback=False,
        suffix=True,
        surface="?",
        normalizer=spm.rules(None, False, True, False),
        denormalizer=spm.rules(b"map", True, False, True),
    )

    spec = parse(data)

    assert list(spec.model.pieces) == PIECES
    assert spec.model.model_type == "bpe"
    assert spec.model.treat_whitespace_as_suffix
    assert spec.model.unk_surface == "?"
    flags = (spec.model.add_dummy_prefix, spec.model.remove_extra_whitespaces, spec.model.escape_whitespaces)
    assert flags == (False, True, False)
    assert spec.model.denormalizer_charsmap == b"map"
    assert spec.model.denormalizer_add_dummy_prefix
    assert not spec.model.denormalizer_remove_extra_whitespaces
    assert spec.model.denormalizer_escape_whitespaces


def test_defaults_are_those_of_the_format():
    model = parse(b"".join(spm.piece(*piece) for piece in PIECES)).model

    assert model.model_type == "unigram"
    assert not model.byte_fallback
    assert model.unk_surface == " ⁇ "
    assert (model.add_dummy_prefix, model.remove_extra_whitespaces, model.escape_whitespaces) == (True, True, True)


def test_special_pieces_become_the_config():
    pieces = [*PIECES, ("</s>", 0.0, 1), ("<pad>", 0.0, 3)]

    config = parse(spm.model(pieces, 1)).config

    # "</s>" is no control piece, so the library has no eos_id.
    assert (config.bos_token, config.eos_token, config.pad_token, config.unk_token) == ("<s>", None, "<pad>", "<unk>")
    assert not config.add_bos


def test_custom_names_of_special_pieces():
    pieces = [("[U]", 0.0, 2), ("[B]", 0.0, 3), ("a", -1.0, 1)]
    data = b"".join(spm.piece(*piece) for piece in pieces) + spm.message(2, spm.message(46, "[B]"))

    config = parse(data).config

    assert (config.bos_token, config.unk_token) == ("[B]", "[U]")
    assert load_oracle(data).bos_id() == 1


def test_unusual_but_valid_wire_forms():
    score = struct.pack("<f", -2.0)
    padded = b"\x0a\x81\x00a"  # a length in more bytes than it needs
    odd = spm.message(1, b"\x15" + score + padded + spm.integer(3, 4) + spm.message(200, "x"))
    repeated = spm.message(1, spm.message(1, "x") + spm.message(1, "b") + spm.integer(3, 1))
    group = b"\xa3\x06" + spm.integer(1, 1) + b"\xa3\x06\xa4\x06" + b"\xa4\x06"
    fixed64 = spm.varint(300 << 3 | 1) + bytes(8)
    other_type = spm.integer(1, 5)  # field 1 is a message: as a number it is unknown
    data = spm.piece("<unk>", 0.0, 2) + group + odd + fixed64 + repeated + other_type

    assert list(parse(data).model.pieces) == [("<unk>", 0.0, 2), ("a", -2.0, 4), ("b", 0.0, 1)]
    assert load_oracle(data).id_to_piece([1, 2]) == ["a", "b"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "UNKNOWN"),
        (b'{"version": "1.0"}', "not a sentencepiece model"),
        (b"\x0a\x05\x0a", "offset 0x1"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "ten bytes"),
        (b"\x00", "offset 0x0"),
        (b"\x0b", "group"),
        (b"\x0c", "group"),
        (b"\x0b" * 200, "nested"),
        (spm.piece(b"\xff", 0.0, 1), "UTF-8"),
        (spm.piece("a", 0.0, 9), "type"),
        (spm.model([*PIECES, ("a", 0.0, 1)], 2), "pieces[5].piece"),
        (spm.model([*PIECES, ("a", 0.0, 3)], 2), "twice"),
        (spm.model([*PIECES, ("", 0.0, 1)], 2), "empty"),
        (spm.model([*PIECES, ("x\0", 0.0, 1)], 2), "NUL"),
        (spm.model([*PIECES, ("ab" * 4000, 0.0, 1)], 2), "8000"),
        (spm.model([*PIECES, ("<U>", 0.0, 2)], 2), "more than one"),
        (spm.model(PIECES[1:], 2), "no piece of type UNKNOWN"),
        (spm.model([*PIECES, ("<0x41>", 0.0, 6)], 2), "byte_fallback is off"),
        (spm.model([*PIECES, *spm.BYTES[1:]], 2, fallback=True), "<0x00>"),
        (spm.model(PIECES, 1).replace(struct.pack("<f", -2.5), struct.pack("<f", float("nan"))), "finite"),
        (spm.model(PIECES[:2], 1), "without normal pieces"),
    ],
)
def test_refused(data, said):
    with pytest.raises(SpecError) as caught:
        parse(data, file="x.model")

    assert said in str(caught.value)
    assert "x.model" in str(caught.value)
    # The library ignores empty bytes, and reads an unknown type of piece as the default.
    if data and said not in ("type", "UTF-8"):
        with pytest.raises(RuntimeError):
            load_oracle(data)


def test_unknown_model_type_is_refused():
    with pytest.raises(SpecError, match="model_type"):
        parse(spm.model(PIECES, 7))


def test_a_null_piece_is_unused_with_byte_fallback():
    data = spm.model([*PIECES, *spm.BYTES, ("\0", 0.0, 1)], 2, fallback=True)

    assert parse(data).model.pieces[-1] == ("\0", 0.0, 5)
    assert load_oracle(data).is_unused(len(PIECES) + 256)


@given(spm.models())
def test_what_the_library_loads_is_loaded(data):
    try:
        loaded = load_oracle(data)
    except RuntimeError:
        loaded = None
    try:
        model = build(parse(data).model)
    except SpecError:
        model = None

    assert (loaded is None) == (model is None)
    if loaded is not None:
        assert [loaded.id_to_piece(i) for i in range(len(loaded))] == [model.id_to_token(i) for i in range(len(loaded))]


@given(st.data())
def test_damaged_files_raise_only_spec_errors(data):
    whole = spm.model([*PIECES, *spm.BYTES], 2, fallback=True, normalizer=spm.rules(b"\x04\0\0\0abcd", True))
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    edits = data.draw(st.lists(st.tuples(st.integers(0, max(len(cut) - 1, 0)), st.integers(0, 255)), max_size=4))
    damaged = bytearray(cut)
    for at, byte in edits:
        damaged[at : at + 1] = bytes((byte,))

    try:
        model = build(parse(bytes(damaged)).model)
        model.encode("a▁b")
    except SpecError:
        pass


@given(st.binary(max_size=60))
def test_arbitrary_bytes_raise_only_spec_errors(data):
    with pytest.raises(SpecError):
        parse(data)  # without a piece of type UNKNOWN nothing is a model


def test_read_says_where_the_spec_comes_from(tmp_path):
    data = spm.model(PIECES, 2)
    path = tmp_path / "tokenizer.model"
    path.write_bytes(data)

    source = read(str(path)).source

    assert source.kind == "sentencepiece"
    assert [(f.name, f.size, f.sha256) for f in source.files] == [
        ("tokenizer.model", len(data), hashlib.sha256(data).hexdigest())
    ]


@pytest.mark.parametrize("name", ["llama2", "minicpm-2b"])
def test_real_files(name):
    path = shared_vocab(name) / "tokenizer.model"
    loaded = spm.oracle().SentencePieceProcessor(str(path))

    spec = read(str(path))

    pieces = spec.model.pieces
    assert [text for text, _, _ in pieces] == loaded.id_to_piece(list(range(len(loaded))))
    assert [score for _, score, _ in pieces] == loaded.get_score(list(range(len(loaded))))
    assert spec.config.bos_token == loaded.id_to_piece(loaded.bos_id())
