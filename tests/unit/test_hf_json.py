"""tokenizer.json -> Spec: equal to what tokenizers 0.23.3 loads, and refused when it refuses."""

from __future__ import annotations

import copy
import json
import random
import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats import _serde, hf_json
from tokenizers_lite.spec import AddedToken, Padding, Pattern, Source, Spec, Truncation, decoders, models
from tokenizers_lite.spec import normalizers as nm
from tokenizers_lite.spec import post_processors as pp
from tokenizers_lite.spec import pre_tokenizers as pt

VOCAB = {"a": 0, "b": 1, "ab": 2}
BPE = {"type": "BPE", "vocab": VOCAB, "merges": ["a b"]}
TOKEN = {
    "id": 3,
    "content": "<x>",
    "single_word": False,
    "lstrip": False,
    "rstrip": False,
    "normalized": True,
    "special": False,
}


def file(**fields: object) -> str:
    """A whole tokenizer.json with some fields."""
    return json.dumps({"version": "1.0", "model": BPE, **fields})


def ours(text: str) -> Spec:
    return hf_json.parse(text.encode()).replace(source=Source())


def refused(text: str | bytes) -> SpecError:
    with pytest.raises(SpecError) as caught:
        hf_json.parse(text.encode() if isinstance(text, str) else text, name="dir/tokenizer.json")
    return caught.value


def theirs(text: str) -> str | None:
    """What tokenizers makes of the text, written out again; None if it refuses."""
    tokenizers = pytest.importorskip("tokenizers")
    try:
        return tokenizers.Tokenizer.from_str(text).to_str()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # a panic in Rust is no Exception
        return None


def assert_same(text: str) -> None:
    """Both accept the text and mean the same by it, or both refuse it."""
    written = theirs(text)
    if written is None:
        refused(text)
    else:
        assert ours(text) == ours(written)


# -- components -------------------------------------------------------------------------------------------------------

READ = [
    (
        "normalizer",
        {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": False,
            "strip_accents": None,
            "lowercase": True,
        },
        nm.BertNormalizer(True, False, None, True),
    ),
    ("normalizer", {"type": "Strip", "strip_left": True, "strip_right": False}, nm.Strip(True, False)),
    ("normalizer", {"type": "StripAccents"}, nm.StripAccents()),
    ("normalizer", {"type": "NFC"}, nm.NFC()),
    ("normalizer", {"type": "NFD"}, nm.NFD()),
    ("normalizer", {"type": "NFKC"}, nm.NFKC()),
    ("normalizer", {"type": "NFKD"}, nm.NFKD()),
    ("normalizer", {"type": "Nmt"}, nm.Nmt()),
    ("normalizer", {"type": "Lowercase"}, nm.Lowercase()),
    ("normalizer", {"type": "ByteLevel"}, nm.ByteLevel()),
    ("normalizer", {"type": "Prepend", "prepend": "▁"}, nm.Prepend("▁")),
    (
        "normalizer",
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        nm.Replace(Pattern(" ", False), "▁"),
    ),
    (
        "normalizer",
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"},
        nm.Replace(Pattern(" {2,}", True), "▁"),
    ),
    (
        "normalizer",
        {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Sequence", "normalizers": []}]},
        nm.Sequence((nm.NFC(), nm.Sequence(()))),
    ),
    (
        "normalizer",
        {"type": "Precompiled", "precompiled_charsmap": "BAAAAAAAAABh"},
        nm.Precompiled(b"\4" + b"\0" * 7 + b"a"),
    ),
    ("pre_tokenizer", {"type": "BertPreTokenizer"}, pt.BertPreTokenizer()),
    (
        "pre_tokenizer",
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False},
        pt.ByteLevel(False, False, True),
    ),
    (
        "pre_tokenizer",
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
        pt.ByteLevel(False, True, False),
    ),
    ("pre_tokenizer", {"type": "CharDelimiterSplit", "delimiter": "x"}, pt.CharDelimiterSplit("x")),
    ("pre_tokenizer", {"type": "Digits", "individual_digits": True}, pt.Digits(True)),
    ("pre_tokenizer", {"type": "FixedLength"}, pt.FixedLength(5)),
    ("pre_tokenizer", {"type": "FixedLength", "length": 2}, pt.FixedLength(2)),
    ("pre_tokenizer", {"type": "Metaspace", "replacement": "_"}, pt.Metaspace("_", "always", True)),
    (
        "pre_tokenizer",
        {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True, "str_rep": "▁"},
        pt.Metaspace("▁", "always", True),
    ),
    (
        "pre_tokenizer",
        {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False},
        pt.Metaspace("▁", "first", False),
    ),
    (
        "pre_tokenizer",
        {"type": "Metaspace", "replacement": "▁", "add_prefix_space": False, "prepend_scheme": "never"},
        pt.Metaspace("▁", "never", True),
    ),
    ("pre_tokenizer", {"type": "Punctuation"}, pt.Punctuation("Isolated")),
    ("pre_tokenizer", {"type": "Punctuation", "behavior": "Contiguous"}, pt.Punctuation("Contiguous")),
    (
        "pre_tokenizer",
        {"type": "Split", "pattern": {"Regex": "\\s"}, "behavior": "MergedWithNext", "invert": True},
        pt.Split(Pattern("\\s", True), "MergedWithNext", True),
    ),
    ("pre_tokenizer", {"type": "UnicodeScripts"}, pt.UnicodeScripts()),
    ("pre_tokenizer", {"type": "Whitespace"}, pt.Whitespace()),
    ("pre_tokenizer", {"type": "WhitespaceSplit"}, pt.WhitespaceSplit()),
    ("pre_tokenizer", {"type": "Sequence", "pretokenizers": [{"type": "Whitespace"}]}, pt.Sequence((pt.Whitespace(),))),
    (
        "post_processor",
        {"type": "BertProcessing", "sep": ["s", 1], "cls": ["c", 2]},
        pp.BertProcessing(("s", 1), ("c", 2)),
    ),
    (
        "post_processor",
        {
            "type": "RobertaProcessing",
            "sep": ["s", 1],
            "cls": ["c", 2],
            "trim_offsets": False,
            "add_prefix_space": False,
        },
        pp.RobertaProcessing(("s", 1), ("c", 2), False, False),
    ),
    (
        "post_processor",
        {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False},
        pp.ByteLevel(True, False, True),
    ),
    (
        "post_processor",
        {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "<s>", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 1}},
            ],
            "pair": [{"Sequence": {"id": "B", "type_id": 2}}],
            "special_tokens": {"<s>": {"id": "other", "ids": [1, 2], "tokens": ["a", "b"]}},
        },
        pp.TemplateProcessing(
            (pp.TemplatePiece("<s>", True, 0), pp.TemplatePiece("A", False, 1)),
            (pp.TemplatePiece("B", False, 2),),
            (("<s>", (1, 2), ("a", "b")),),
        ),
    ),
    (
        "post_processor",
        {"type": "Sequence", "processors": [{"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True}]},
        pp.Sequence((pp.ByteLevel(),)),
    ),
    ("decoder", {"type": "BPEDecoder", "suffix": "</w>"}, decoders.BPEDecoder("</w>")),
    ("decoder", {"type": "ByteFallback"}, decoders.ByteFallback()),
    ("decoder", {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True}, decoders.ByteLevel()),
    (
        "decoder",
        {"type": "CTC", "pad_token": "p", "word_delimiter_token": "w", "cleanup": False},
        decoders.CTC("p", "w", False),
    ),
    ("decoder", {"type": "Fuse"}, decoders.Fuse()),
    (
        "decoder",
        {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never"},
        decoders.Metaspace("▁", "never", True),
    ),
    (
        "decoder",
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        decoders.Replace(Pattern("▁", False), " "),
    ),
    ("decoder", {"type": "Strip", "content": " ", "start": 1, "stop": 0}, decoders.Strip(" ", 1, 0)),
    ("decoder", {"type": "WordPiece", "prefix": "##", "cleanup": True}, decoders.WordPiece("##", True)),
    ("decoder", {"type": "Sequence", "decoders": [{"type": "Fuse"}]}, decoders.Sequence((decoders.Fuse(),))),
    (
        "truncation",
        {"max_length": 7, "strategy": "OnlyFirst", "stride": 2, "direction": "Left"},
        Truncation(7, "OnlyFirst", 2, "Left"),
    ),
    ("truncation", {"max_length": 7, "strategy": "LongestFirst", "stride": 0}, Truncation(7)),
    (
        "padding",
        {
            "strategy": {"Fixed": 9},
            "direction": "Left",
            "pad_to_multiple_of": 8,
            "pad_id": 1,
            "pad_type_id": 2,
            "pad_token": "p",
        },
        Padding(9, "Left", 8, 1, 2, "p"),
    ),
    (
        "padding",
        {"strategy": "BatchLongest", "direction": "Right", "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
        Padding(),
    ),
]


@pytest.mark.parametrize(("field", "value", "expected"), READ, ids=lambda v: v.get("type") if type(v) is dict else None)
def test_component_is_read(field, value, expected):
    text = file(**{field: value})
    assert getattr(ours(text), field) == expected
    assert_same(text)


LEGACY = [
    ("normalizer", [True, False], nm.Strip(True, False)),  # an array of fields
    ("normalizer", ["NFKC"], nm.NFKC()),
    ("normalizer", {"type": "Unheard of", "prepend": "x"}, nm.Prepend("x")),  # found by its fields
    ("normalizer", {"type": {"NFC": None}}, nm.NFC()),
    ("normalizer", {"type": "Precompiled", "precompiled_charsmap": "AAAAAA"}, nm.Precompiled(b"\0" * 4)),  # no padding
    ("normalizer", ["BAAAAAAAAABh"], nm.Prepend("BAAAAAAAAABh")),  # a Precompiled is found by its type only
    ("normalizer", {"type": "NFC", "whatever": [1]}, nm.NFC()),
    ("pre_tokenizer", ["Metaspace", "_", None, "first", True, None], pt.Metaspace("_", "first", True)),
    ("pre_tokenizer", {"type": "Punctuation", "behavior": {"Removed": None}}, pt.Punctuation("Removed")),
    ("post_processor", [["s", 1], ["c", 2]], pp.BertProcessing(("s", 1), ("c", 2))),
    (  # the type is not looked at
        "post_processor",
        {"type": "BertProcessing", "sep": ["s", 1], "cls": ["c", 2], "trim_offsets": True, "add_prefix_space": False},
        pp.RobertaProcessing(("s", 1), ("c", 2), True, False),
    ),
    ("decoder", ["Fuse"], decoders.BPEDecoder("Fuse")),  # the first struct it fits
    ("truncation", ["Left", 5, "LongestFirst", 0], Truncation(5, direction="Left")),
]


@pytest.mark.parametrize(("field", "value", "expected"), LEGACY)
def test_odd_forms_are_read_as_tokenizers_does(field, value, expected):
    text = file(**{field: value})
    assert getattr(ours(text), field) == expected
    assert_same(text)


REFUSED = [
    ("normalizer", {"type": "Stripp"}, "normalizer.type"),
    ("normalizer", {"type": "BertNormalizer", "clean_text": True}, "normalizer"),
    ("normalizer", {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "x"}]}, "normalizer.normalizers[1]"),
    ("normalizer", {"type": "Precompiled", "precompiled_charsmap": None}, "normalizer.precompiled_charsmap"),
    ("normalizer", {"type": "Precompiled", "precompiled_charsmap": "A==="}, "normalizer.precompiled_charsmap"),
    ("normalizer", {"type": "Precompiled", "precompiled_charsmap": "AAAA"}, "normalizer.precompiled_charsmap"),
    ("normalizer", {"type": "Precompiled", "precompiled_charsmap": "BAAAAAAA"}, "normalizer.precompiled_charsmap"),
    ("normalizer", {"type": "Precompiled", "precompiled_charsmap": "AAAAAP8="}, "normalizer.precompiled_charsmap"),
    ("normalizer", {"type": "Precompiled", "precompiled_charsmap": "AAAAAA==="}, "normalizer.precompiled_charsmap"),
    ("normalizer", {"type": "Precompiled", "precompiled_charsmap": "AAAAAB=="}, "normalizer.precompiled_charsmap"),
    ("normalizer", "NFC", "normalizer"),
    ("pre_tokenizer", {"type": "Delimiter", "delimiter": "x"}, "pre_tokenizer.type"),
    (
        "pre_tokenizer",
        {"type": "Metaspace", "replacement": "_", "add_prefix_space": False},
        "pre_tokenizer.add_prefix_space",
    ),
    ("pre_tokenizer", {"type": "Metaspace", "replacement": "ab"}, "pre_tokenizer.replacement"),
    (
        "pre_tokenizer",
        {"type": "Split", "pattern": {"String": "a", "Regex": "b"}, "behavior": "Removed", "invert": False},
        "pre_tokenizer.pattern",
    ),
    ("pre_tokenizer", {"type": "Punctuation", "behavior": "removed"}, "pre_tokenizer.behavior"),
    ("pre_tokenizer", {"type": "FixedLength", "length": -1}, "pre_tokenizer.length"),
    ("post_processor", {"type": "BertProcessing", "sep": ["s", 1]}, "post_processor"),
    (
        "post_processor",
        {"type": "TemplateProcessing", "single": ["$A"], "pair": [], "special_tokens": {}},
        "post_processor.single[0]",
    ),
    ("decoder", {"type": "BPE", "suffix": 1}, "decoder.type"),
    ("truncation", {"max_length": 7, "strategy": "LongestFirst"}, "truncation"),
    ("padding", {"strategy": "Fixed"}, "padding.strategy"),
    ("version", "1.1", "version"),
    ("version", None, "version"),
    ("added_tokens", None, "added_tokens"),
    ("added_tokens", [{**TOKEN, "id": -1}], "added_tokens[0].id"),
    ("added_tokens", [{k: v for k, v in TOKEN.items() if k != "special"}], "added_tokens[0]"),
    ("surprise", 1, "surprise"),
    ("model", {**BPE, "type": "bpe"}, "model.type"),
    ("model", {**BPE, "merges": ["a b", "a a"]}, "model.merges[1]"),
    ("model", {**BPE, "merges": ["a b c"]}, "model.merges[0]"),
    ("model", {**BPE, "merges": [["a", "b"], "a b"]}, "model.merges"),
    ("model", {**BPE, "merges": [["a", "b"], ["a"]]}, "model.merges[1]"),
    ("model", {**BPE, "merges": None}, "model.merges"),
    ("model", {**BPE, "vocab": {"a": 0, "b": 1.0, "ab": 2}}, "model.vocab['b']"),
    ("model", {**BPE, "vocab": {"a": 0, "b": 1 << 32, "ab": 2}}, "model.vocab['b']"),
    ("model", {**BPE, "vocab": {"a": 0, "b": True, "ab": 2}}, "model.vocab['b']"),
    ("model", {**BPE, "dropout": 1.5}, "model.dropout"),
    ("model", {**BPE, "fuse_unk": 0}, "model.fuse_unk"),
    ("model", {**BPE, "continuing_subword_prefix": "##"}, "model.merges[0]"),
    ("model", {"type": "Unigram", "vocab": [["a", 0.5]], "unk_id": 1}, "model.unk_id"),
    ("model", {"type": "Unigram", "vocab": [["a"]]}, "model.vocab[0]"),
    ("model", {"type": "Unigram", "vocab": [["a", 1]], "byte_fallback": None}, "model.byte_fallback"),
    ("model", {"type": "WordLevel", "vocab": {}}, "model"),
    (
        "model",
        {"type": "WordPiece", "vocab": {}, "unk_token": "u", "continuing_subword_prefix": "#"},
        "model",
    ),
]


@pytest.mark.parametrize(("field", "value", "at"), REFUSED)
def test_what_tokenizers_refuses_is_refused_with_its_place(field, value, at):
    text = file(**{field: value})
    error = refused(text)
    assert error.field is not None
    assert error.field.startswith(at)
    assert str(error).startswith("dir/tokenizer.json: ")
    assert theirs(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "{",
        file() + "x",
        "\ufeff" + file(),
        file().replace("2", "02"),
        file().replace("2", "NaN"),
        file(added_tokens=[{**TOKEN, "content": "\ud800"}]),
        file(added_tokens=[{**TOKEN, "content": "\udc00\ud800"}]),
        file(truncation={"max_length": 7, "strategy": "LongestFirst", "stride": 0}).replace(
            '"stride"', '"stride": 0, "stride"'
        ),
        file(normalizer={"type": "NFC", "x": json.loads("[" * 126 + "]" * 126)}),
        "[" * 100_000,
    ],
)
def test_broken_json_is_refused(text):
    refused(text)
    assert theirs(text) is None


def test_what_is_not_utf8_is_refused_with_its_offset():
    assert "0x0" in str(refused(b"\xff\xfe{\x00"))
    assert refused(b'{"version": "\xc3"}').field == "offset 0xd"


@pytest.mark.parametrize(
    "text",
    [
        file(normalizer={"type": "NFC", "x": json.loads("[" * 125 + "]" * 125)}),
        file(added_tokens=[{**TOKEN, "content": "\U0001f600"}]),
        file(added_tokens=[{**TOKEN, "content": "\\ud800"}]),
        file().replace('"ab": 2', '"ab": 2, "ab": 5'),  # the last one counts
        file(normalizer={"type": "NFC"}).replace('"NFC"', '"NFC", "type": "NFD"'),
        file()[:-1] + ', "version": "1.0"}',
        json.dumps({"model": BPE}),
    ],
)
def test_odd_json_is_read(text):
    assert theirs(text) is not None
    assert_same(text)


# -- models -----------------------------------------------------------------------------------------------------------


def test_bpe_options_are_read():
    model = {
        **BPE,
        "vocab": {**VOCAB, "##c": 3, "abc": 4},
        "merges": [["ab", "##c"]],
        "dropout": 0.25,
        "unk_token": "a",
        "continuing_subword_prefix": "##",
        "end_of_word_suffix": "</w>",
        "fuse_unk": True,
        "byte_fallback": True,
        "ignore_merges": True,
    }
    text = file(model=model)
    assert ours(text).model == models.BPE(
        model["vocab"], [("ab", "##c")], 0.25, "a", "##", "</w>", fuse_unk=True, byte_fallback=True, ignore_merges=True
    )
    assert_same(text)


def test_merges_are_strings_or_pairs():
    merges = [("a", "b")]
    assert ours(file()).model.merges == merges
    assert ours(file(model={**BPE, "merges": [["a", "b"]]})).model.merges == merges
    assert ours(file(model={**BPE, "merges": ["#version: 0.2", "a b"]})).model.merges == merges
    assert ours(file(model={**BPE, "merges": []})).model.merges == []


@pytest.mark.parametrize(
    "model",
    [
        {"vocab": VOCAB, "merges": ["a b"]},
        {"vocab": VOCAB, "unk_token": "a", "continuing_subword_prefix": "#", "max_input_chars_per_word": 9},
        {"vocab": VOCAB, "unk_token": "a"},
        {"vocab": [["a", -1], ["b", -2.5]]},
        {"vocab": VOCAB, "unk_token": "a", "merges": ["no such"]},  # no BPE, but a WordLevel
        {
            "type": "WordPiece",
            "vocab": {},
            "unk_token": "u",
            "continuing_subword_prefix": "",
            "max_input_chars_per_word": 1,
        },
        {"type": "WordLevel", "vocab": {"a": 7}, "unk_token": "u"},
        {"type": "Unigram", "vocab": [["a", -1], ["a", 2], ["", 0]], "unk_id": 2, "byte_fallback": True},
    ],
)
def test_models_with_and_without_type(model):
    text = file(model=model)
    assert theirs(text) is not None
    assert_same(text)


def test_unigram_scores_are_those_serde_json_reads():
    """Its quick number parser is off by one bit for some; the scores decide between equal pieces."""
    rng = random.Random(7)
    texts = ["-0.0", "0", "5", "-7", "1e5", "1E-7", "18446744073709551615", "18446744073709551616", "1e-400", "0e999"]
    texts += ["1234567890123456789012345678901234567890", "0.1234567890123456789012345678901", "1e308", "1e-320"]
    texts += [repr(struct.unpack("f", struct.pack("f", rng.uniform(-20, 0)))[0]) for _ in range(400)]
    texts += [repr(rng.uniform(-20, 0) * 10.0 ** rng.randrange(-30, 30)) for _ in range(400)]
    texts += [f"{rng.uniform(-20, 0):.{rng.randrange(1, 30)}f}" for _ in range(200)]
    model = '{"type": "Unigram", "vocab": [' + ", ".join(f'["{i}", {text}]' for i, text in enumerate(texts)) + "]}"
    text = file().replace(json.dumps(BPE), model)
    written = theirs(text)
    scores = [score for _, score in json.loads(written)["model"]["vocab"]]
    assert [score for _, score in ours(text).model.vocab] == scores
    assert scores != [float(text) for text in texts]  # or the parser could go


@pytest.mark.parametrize("number", ["1e309", "-1e400", "1e99999999999999999999", "9" * 400])
def test_numbers_out_of_range_are_refused(number):
    text = file().replace(json.dumps(BPE), '{"type": "Unigram", "vocab": [["a", ' + number + "]]}")
    refused(text)
    assert theirs(text) is None


def test_serde_decimal_scales_denormals():
    assert _serde.decimal("-1e-320") == -1e-320
    assert _serde.decimal("1e-99999999999") == 0.0


# -- added tokens -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "ids"),
    [
        ([(7, "x"), (3, "y")], {3: "x", 4: "y"}),  # declared ids do not count
        ([(9, "ab"), (9, "z")], {2: "ab", 3: "z"}),  # the model's own token keeps its id
        ([(3, "x"), (4, "x"), (5, "y")], {3: "x", 4: "y"}),
        ([(3, ""), (4, "x")], {3: "x"}),
    ],
)
def test_ids_of_added_tokens_are_given_anew(declared, ids):
    text = file(added_tokens=[{**TOKEN, "id": i, "content": content} for i, content in declared])
    assert {token.id: token.content for token in ours(text).added_tokens} == ids
    assert_same(text)


def test_an_id_past_a_hole_in_the_vocabulary_may_hide_a_model_token():
    text = file(model={**BPE, "vocab": {"a": 0, "b": 3, "ab": 2}}, added_tokens=[TOKEN])
    assert ours(text).added_tokens[0].id == 3
    assert_same(text)


def test_flags_of_added_tokens():
    flags = {"single_word": True, "lstrip": True, "rstrip": True, "normalized": False, "special": True}
    assert ours(file(added_tokens=[{**TOKEN, **flags}])).added_tokens == (
        AddedToken(3, "<x>", True, True, True, False, True),
    )


def test_a_token_once_special_stays_special():
    tokens = [{**TOKEN, "special": True}, {**TOKEN, "lstrip": True}]
    text = file(added_tokens=tokens)
    assert ours(text).added_tokens == (AddedToken(3, "<x>", lstrip=True, special=True),)
    tokenizer = pytest.importorskip("tokenizers").Tokenizer.from_str(text)
    assert tokenizer.decode([0, 3], skip_special_tokens=True) == "a"


def test_assign_ids_continues_after_the_present_tokens():
    model = models.BPE(VOCAB, [])
    present = (AddedToken(9, "<p>"),)
    new = hf_json.assign_ids([AddedToken(0, "<q>"), AddedToken(0, "b")], present, model)
    assert [(t.id, t.content) for t in new] == [(1, "b"), (9, "<p>"), (10, "<q>")]


# -- whole files ------------------------------------------------------------------------------------------------------

JUNK = st.sampled_from(
    [None, True, 0, 1, -1, 1.5, 1 << 32, "", "a", "ab", [], {}, ["a"], [True, True], {"NFC": None}]
).map(copy.deepcopy)


@st.composite
def damaged(draw):
    """A component of `READ` or a model with a field dropped, replaced, added, renamed, or put in an array."""
    field, value, _ = draw(st.sampled_from([*READ, *LEGACY, ("model", BPE, None), ("added_tokens", [TOKEN], None)]))
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 2))):
        target = value[0] if field == "added_tokens" and value else value
        if not isinstance(target, dict) or not target:
            if isinstance(target, list):
                target.insert(draw(st.integers(0, len(target))), draw(JUNK))
            continue
        key = draw(st.sampled_from(sorted(target)))
        action = draw(st.sampled_from(["drop", "replace", "add", "swap type", "array", "into"]))
        if action == "drop":
            del target[key]
        elif action == "replace":
            target[key] = draw(JUNK)
        elif action == "add":
            target[draw(st.sampled_from(["extra", "split", "str_rep", "length", "behavior", "use_regex"]))] = draw(JUNK)
        elif action == "swap type":
            target["type"] = draw(
                st.sampled_from([v["type"] for _, v, _ in READ if isinstance(v, dict) and "type" in v])
            )
        elif action == "into" and isinstance(target[key], list) and target[key]:
            target[key][0] = draw(JUNK)
        elif field != "added_tokens":
            value = [v for k, v in target.items() if draw(st.booleans()) or k != "type"]
            break
    return file(**{field: value})


@settings(max_examples=400, deadline=None)
@given(damaged())
def test_damaged_components_are_read_or_refused_as_tokenizers_does(text):
    assert_same(text)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40), st.integers(0, 10_000), st.integers(0, 30))
def test_damaged_bytes_give_a_spec_or_a_spec_error(patch, at, gone):
    data = file(normalizer={"type": "NFC"}, added_tokens=[TOKEN]).encode()
    at %= len(data)
    with suppress(SpecError):
        hf_json.parse(data[:at] + patch + data[at + gone :])


def test_source_names_the_file(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(file(), encoding="utf-8")
    source = hf_json.read(str(path)).source
    assert source.kind == "tokenizer.json"
    assert [(f.name, f.size, len(f.sha256)) for f in source.files] == [("tokenizer.json", len(file()), 64)]


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        hf_json.read(str(tmp_path / "tokenizer.json"))
