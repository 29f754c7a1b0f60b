"""What the writers make of a spec, judged by the emulated readers and by Hugging Face on adversarial texts."""

import functools
import re
import unicodedata

import pytest
from hypothesis import given

from tests.converters import tiny
from tests.strategies import curable, texts
from tokenizers_lite.errors import SpecError
from tokenizers_lite.spec import AddedToken, Spec, models, post_processors
from tokenizers_lite.tokenizer import Tokenizer
from vocab_converters import emulate, mnn_text, mtok, mtok_reader, text_reader
from vocab_converters._facts import id_table, surroundings
from vocab_converters._mtok_normalizers import common_pairs
from vocab_converters._patterns import before_blanks, limit_runs, quote
from vocab_converters.emulate import MNN, MNN_LLM, NATIVE
from vocab_converters.mtok_writer import Options, write_mtok
from vocab_converters.text_writer import write_text

EXTRA = ["<|im_start|>", "<|im_", "<｜User｜>", "a▁b", "<think>", "<s>", "</s>", "<|end|>", " \u3000\n", "\u2581 "]
TEXTS = texts(EXTRA, 8)


def agreed(text):
    """Leave out what the readers are known to get wrong: a token that swallows blanks swallows ASCII ones only."""
    return re.sub(r"<\|end\|>\s+", lambda match: re.sub(r"[^\0-\x7f]", "", match.group()), curable(text))


@functools.cache
def mtok_pair(make, reader, *arguments):
    oracle = make(*arguments)
    record, _ = write_mtok(tiny.spec_of(oracle), Options(reader))
    return oracle, emulate.build(mtok.parse(mtok.emit(record)), reader)


@functools.cache
def text_pair(make, kind, reader, *arguments):
    oracle = make(*arguments)
    record, _ = write_text(tiny.spec_of(oracle), kind, reader)
    return oracle, emulate.build(mnn_text.parse(mnn_text.emit(record)), reader)


@pytest.mark.parametrize("reader", [NATIVE, MNN])
@given(text=TEXTS)
def test_byte_level_mtok_is_exact(reader, text):
    oracle, emulated = mtok_pair(tiny.byte_level, reader)
    text = agreed(text)

    assert emulated.encode(text) == oracle.encode(text).ids


@pytest.mark.parametrize("prepend", [True, False])
@given(text=TEXTS)
def test_marker_mtok_with_its_cut_is_exact(prepend, text):
    oracle, emulated = mtok_pair(tiny.marker, MNN, prepend)
    text = agreed(text)

    assert emulated.encode(text) == oracle.encode(text).ids


@given(text=TEXTS)
def test_wordpiece_mtok_with_post_operations_is_exact(text):
    oracle, emulated = mtok_pair(tiny.wordpiece, MNN)
    text = agreed(text).replace("\ue000", "")

    assert emulated.encode(text) == oracle.encode(text).ids


@given(text=TEXTS)
def test_type_0_for_native_is_exact_where_nothing_swallows_white_space(text):
    oracle, emulated = text_pair(tiny.marker, 0, NATIVE)
    text = agreed(text).replace("<|end|>", "")

    assert emulated.encode(text) == oracle.encode(text).ids


@given(text=TEXTS)
def test_type_0_for_mnn_llm_is_exact_without_a_leading_marker(text):
    oracle, emulated = text_pair(tiny.marker, 0, MNN_LLM, False)
    text = agreed(text).replace("<|end|>", "").replace("▁", "")

    assert emulated.encode(text) == oracle.encode(text).ids


@given(text=TEXTS)
def test_type_3_for_native_is_exact_with_qwens_pattern(text):
    oracle, emulated = text_pair(tiny.byte_level, 3, NATIVE)
    text = agreed(text)

    assert emulated.encode(text) == oracle.encode(text).ids


def test_added_tokens_print_as_themselves():
    spec = tiny.spec_of(tiny.byte_level())
    for reader in (NATIVE, MNN):
        record, _ = write_mtok(spec, Options(reader))
        emulated = emulate.build(record, reader)
        assert [emulated.decode_id(t.id).decode() for t in spec.added_tokens] == [t.content for t in spec.added_tokens]


def test_added_tokens_inside_the_vocabulary_print_as_themselves_too():
    """DeepSeek-V3 has <｜begin▁of▁sentence｜> in its vocabulary, not in the byte alphabet."""
    spec = tiny.spec_of(tiny.byte_level())
    inside = next(token for token in spec.added_tokens if "｜" in token.content)
    vocab = {**spec.model.vocab, inside.content: inside.id}
    spec = spec.replace(model=spec.model.replace(vocab=vocab))

    for record in (
        write_mtok(spec, Options(NATIVE))[0],
        write_text(spec, 3, NATIVE)[0],
        write_text(spec, 1, NATIVE)[0],
    ):
        assert emulate.build(record, NATIVE).encode(f"x{inside.content}")[-1] == inside.id


def test_only_mnn_keeps_tokens_that_are_not_special_out_of_the_list():
    spec = tiny.spec_of(tiny.byte_level())
    think = next(token.id for token in spec.added_tokens if token.content == "<think>")

    listed = {reader: write_mtok(spec, Options(reader))[0].header.special for reader in (NATIVE, MNN)}

    assert think in listed[NATIVE]
    assert think not in listed[MNN]
    assert emulate.build(write_mtok(spec, Options(MNN))[0], MNN).decode([think]) == b"<think>"


@pytest.mark.parametrize("reader", [NATIVE, MNN])
def test_wordpiece_specials_are_found_although_they_print_with_a_blank(reader):
    oracle, emulated = mtok_pair(tiny.wordpiece, reader)
    ids = oracle.encode("a[CLS]b[SEP]", add_special_tokens=False).ids

    assert emulated.encode("a[CLS]b[SEP]")[1 : len(ids) + 1] == ids


def test_bos_comes_once():
    spec = tiny.spec_of(tiny.byte_level())
    bos = surroundings(spec)[0]

    for reader in (NATIVE, MNN):
        record, _ = write_mtok(spec, Options(reader))
        assert emulate.build(record, reader).encode("x")[:2].count(bos[0]) == 1


def test_the_older_tail_has_no_post_operations():
    spec = tiny.spec_of(tiny.byte_level())

    assert write_mtok(spec, Options(MNN, tail="older"))[0].tail.post_ops is None
    assert write_mtok(spec, Options(MNN))[0].tail.post_ops == ()


def test_four_operations_get_a_fifth_that_is_skipped():
    spec = tiny.spec_of(tiny.byte_level())
    piece = post_processors.TemplatePiece
    parts = (piece("a", special=True), piece("b", special=True), piece("A", special=False), piece("c", special=True))
    names = tuple((name, (number,), (name,)) for number, name in enumerate("abc"))
    spec = spec.replace(post_processor=post_processors.TemplateProcessing(parts, parts, names))

    record, _ = write_mtok(spec, Options(MNN))
    again = mtok.parse(mtok.emit(record))

    assert again == record
    assert emulate.build(again, MNN).encode("") == [0, 1, 2]


def test_holes_are_filled_and_ids_dense():
    model = models.BPE({"a": 0, "b": 5}, [])
    spec = Spec(model, (AddedToken(9, "<x>", normalized=False),))

    record, _ = write_mtok(spec, Options(NATIVE))

    assert sorted(number for _, number in record.model.vocab) == list(range(10))
    assert len({text for text, _ in record.model.vocab}) == 10
    assert emulate.build(record, NATIVE).encode("ab<x>") == [0, 5, 9]


def test_ids_too_far_apart_are_refused():
    spec = Spec(models.BPE({"a": 0, "b": 10**8}, []))

    with pytest.raises(SpecError, match="sparse"):
        id_table(spec)


def test_ignore_merges_is_counted():
    spec = Spec(models.BPE({"a": 0, "b": 1, "ab": 2}, [], ignore_merges=True))

    _, losses = write_mtok(spec, Options(NATIVE))

    assert [loss.field for loss in losses] == ["model.ignore_merges"]
    assert "1 tokens" in losses[0].what


@functools.cache
def reread(make):
    spec = tiny.spec_of(make())
    record, _ = write_mtok(spec, Options(MNN))
    again = mtok_reader.to_spec(mtok.parse(mtok.emit(record)))
    return spec, again, Tokenizer(spec), Tokenizer(again)


@pytest.mark.parametrize("make", [tiny.byte_level, tiny.marker])
def test_reading_a_written_mtok_gives_the_spec_back(make):
    spec, again, _, _ = reread(make)
    added = {token.id for token in spec.added_tokens}
    used = {text: number for text, number in spec.model.vocab.items() if number not in added}

    assert {text: number for text, number in again.model.vocab.items() if number not in added} == used
    assert list(again.model.merges) == list(spec.model.merges)
    found = [(token.id, token.content, token.rstrip) for token in again.added_tokens]
    assert found == [(token.id, token.content, token.rstrip) for token in spec.added_tokens]
    assert (again.normalizer, again.pre_tokenizer, again.decoder) == (spec.normalizer, spec.pre_tokenizer, spec.decoder)


@pytest.mark.parametrize("make", [tiny.byte_level, tiny.marker])
@given(text=TEXTS)
def test_reading_a_written_mtok_gives_an_equal_tokenizer(make, text):
    _, _, one, two = reread(make)

    assert two.encode(text) == one.encode(text)


def test_reading_a_written_type_0_and_3_gives_the_vocabulary_back():
    spec = tiny.spec_of(tiny.marker())
    record, _ = write_text(spec, 0, NATIVE)
    again = text_reader.to_spec(record)
    assert [text for text, _, _ in again.model.pieces][: len(spec.model.vocab)] == list(spec.model.vocab)

    spec = tiny.spec_of(tiny.byte_level())
    record, _ = write_text(spec, 3, NATIVE)
    again = text_reader.to_spec(record)
    assert dict(again.model.vocab) == dict(spec.model.vocab)
    assert list(again.model.merges) == list(spec.model.merges)
    assert [(t.id, t.content) for t in again.added_tokens] == [(t.id, t.content) for t in spec.added_tokens]


def test_both_dialects_of_type_0_read_alike():
    spec = tiny.spec_of(tiny.marker(prepend=False))
    blanks, _ = write_text(spec, 0, MNN_LLM)
    marks, _ = write_text(spec, 0, NATIVE)

    one, two = text_reader.to_spec(blanks).model, text_reader.to_spec(marks).model

    assert [text for text, _, _ in one.pieces] == [text for text, _, _ in two.pieces]


@pytest.mark.parametrize(
    ("kind", "make"),
    [(0, tiny.byte_level), (2, tiny.byte_level), (3, tiny.marker), (3, tiny.wordpiece), (0, tiny.wordpiece)],
)
def test_types_refuse_models_they_cannot_hold(kind, make):
    with pytest.raises(SpecError):
        write_text(tiny.spec_of(make()), kind, NATIVE)


def test_type_1_is_reported_as_no_bpe():
    record, losses = write_text(tiny.spec_of(tiny.byte_level()), 1, MNN)

    assert "model.merges" in [loss.field for loss in losses]
    assert b"" not in record.tokens
    assert len(set(record.tokens)) == len(record.tokens)


@given(text=TEXTS)
def test_common_pairs_are_nfc_and_leave_nfc_alone(text):
    def replaced(text):
        for pair, composed in common_pairs():
            text = text.replace(pair, composed)
        return text

    composed = unicodedata.normalize("NFC", text)
    assert replaced(composed) == composed
    for char in "ếựẩĀǖйёがパΐ":
        assert replaced(unicodedata.normalize("NFD", char)) == char


def test_patterns():
    assert limit_runs(r"\p{L}+|[\p{L}\p{M}]+|\p{N}+|\p{L}++") == r"\p{L}{1,512}|[\p{L}\p{M}]{1,512}|\p{N}+|\p{L}++"
    assert emulate._regex.spans("a.b\n-\x01→", quote(".b\n-\x01")) == [(1, 6)]
    assert before_blanks() != before_blanks("<")
