"""The tokenizer of a GGUF header, and headers that lie."""

from __future__ import annotations

import json
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.paths import shared_vocab
from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats import gguf, hf_json
from tokenizers_lite.spec import AddedToken, models, normalizers
from tokenizers_lite.spec import pre_tokenizers as pt

BPE = {
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "gpt-2",
    "tokenizer.ggml.tokens": ["a", "b", "ab", "<s>", "<u>", "[PAD5]"],
    "tokenizer.ggml.token_type": [1, 1, 1, 3, 4, 5],
    "tokenizer.ggml.merges": ["a b"],
    "tokenizer.ggml.bos_token_id": 3,
    "tokenizer.ggml.eos_token_id": 3,
}
SPM = {
    "tokenizer.ggml.model": "llama",
    "tokenizer.ggml.tokens": ["<unk>", "<s>", "</s>", "▁a"],
    "tokenizer.ggml.scores": [0.0, 0.0, 0.0, -1.0],
    "tokenizer.ggml.token_type": [2, 3, 3, 1],
    "tokenizer.ggml.bos_token_id": 1,
    "tokenizer.ggml.eos_token_id": 2,
}
BERT = {
    "tokenizer.ggml.model": "bert",
    "tokenizer.ggml.tokens": ["[UNK]", "[CLS]", "[SEP]", "▁a", "b", "[unused1]"],
    "tokenizer.ggml.token_type": [2, 3, 3, 1, 1, 1],
    "tokenizer.ggml.cls_token_id": 1,
    "tokenizer.ggml.seperator_token_id": 2,
    "tokenizer.ggml.unknown_token_id": 0,
}


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def typed(value) -> bytes:
    """A value with its type, the smallest that holds it."""
    if isinstance(value, str):
        return struct.pack("<I", 8) + text(value)
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if value and isinstance(value[0], str):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
    kind, code = (6, "f") if value and isinstance(value[0], float) else (5, "i")
    return struct.pack("<IIQ", 9, kind, len(value)) + struct.pack(f"<{len(value)}{code}", *value)


def header(values: dict) -> bytes:
    """A GGUF file without tensors."""
    body = b"".join(text(key) + typed(value) for key, value in values.items())
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(values)) + body


def read(tmp_path, data: bytes | dict):
    path = tmp_path / "model.gguf"
    path.write_bytes(data if isinstance(data, bytes) else header(data))
    return gguf.read(str(path))


def test_byte_level_bpe(tmp_path):
    other = {"general.name": "x", "general.languages": ["en", "de"], "llama.numbers": [1, 2], "llama.f": 0.5}
    templates = {"tokenizer.chat_template": "T", "tokenizer.chat_template.tool_use": "U"}
    spec = read(tmp_path, {**other, **BPE, **templates})

    assert spec.model == models.BPE({"a": 0, "b": 1, "ab": 2, "<s>": 3, "<u>": 4}, [("a", "b")])
    assert spec.pre_tokenizer == pt.ByteLevel(False, True, True)
    assert spec.added_tokens == (
        AddedToken(3, "<s>", normalized=False, special=True),
        AddedToken(4, "<u>", normalized=False, special=False),
    )
    assert (spec.config.bos_token, spec.config.add_bos, spec.config.stop_ids) == ("<s>", False, (3,))
    assert spec.config.chat_templates == {"default": "T", "tool_use": "U"}
    assert spec.source.kind == "gguf"


@pytest.mark.parametrize(("pre", "expected"), [("llama-bpe", True), ("tekken", True), ("qwen2", False)])
def test_bos_where_llama_cpp_adds_it(tmp_path, pre, expected):
    assert read(tmp_path, {**BPE, "tokenizer.ggml.pre": pre}).config.add_bos is expected
    said = {**BPE, "tokenizer.ggml.pre": pre, "tokenizer.ggml.add_bos_token": not expected}
    assert read(tmp_path, said).config.add_bos is not expected


def test_sentencepiece(tmp_path):
    spec = read(tmp_path, {**SPM, "tokenizer.ggml.add_space_prefix": False})

    assert isinstance(spec.model, models.SentencePiece)
    assert spec.model.pieces[3] == ("▁a", -1.0, 1)
    assert (spec.model.model_type, spec.model.byte_fallback, spec.model.add_dummy_prefix) == ("bpe", False, False)
    assert spec.config.add_bos


@pytest.mark.parametrize("types", [[3, 3, 3, 1], [2, 3, 3, 6], [2, 3, 3, 9]])
def test_pieces_that_sentencepiece_refuses(tmp_path, types):
    with pytest.raises(SpecError):
        read(tmp_path, {**SPM, "tokenizer.ggml.token_type": types})


def test_byte_fallback_follows_from_byte_pieces(tmp_path):
    pieces = [f"<0x{byte:02X}>" for byte in range(256)]
    more = {
        "tokenizer.ggml.tokens": [*SPM["tokenizer.ggml.tokens"], *pieces],
        "tokenizer.ggml.scores": [0.0] * 260,
        "tokenizer.ggml.token_type": [2, 3, 3, 1] + [6] * 256,
    }
    assert read(tmp_path, {**SPM, **more}).model.byte_fallback


def test_wordpiece(tmp_path):
    spec = read(tmp_path, BERT)

    assert dict(spec.model.vocab) == {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3, "##b": 4, "[unused1]": 5}
    assert [piece.id for piece in spec.post_processor.single] == ["[CLS]", "A", "[SEP]"]
    assert spec.normalizer == normalizers.BertNormalizer(True, True, None, True)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"tokenizer.ggml.model": "rwkv"}, "tokenizer.ggml.model"),
        ({"tokenizer.ggml.pre": "default"}, "tokenizer.ggml.pre"),
        ({"tokenizer.ggml.pre": 3}, "tokenizer.ggml.pre"),
        ({"tokenizer.ggml.tokens": [1, 2]}, "tokenizer.ggml.token"),
        ({"tokenizer.ggml.tokens": ["a", "a", "b", "ab", "c", "d"]}, "tokenizer.ggml.tokens[1]"),
        ({"tokenizer.ggml.token_type": [1]}, "tokenizer.ggml.token_type"),
        ({"tokenizer.ggml.merges": ["ab"]}, "tokenizer.ggml.merges[0]"),
        ({"tokenizer.ggml.merges": ["a b", "b a"]}, "tokenizer.ggml.merges[1]"),
        ({"tokenizer.ggml.bos_token_id": 6}, "tokenizer.ggml.bos_token_id"),
        ({"tokenizer.ggml.add_bos_token": 1}, "tokenizer.ggml.add_bos_token"),
        ({"tokenizer.chat_template": 1}, "tokenizer.chat_template"),
    ],
)
def test_values_that_cannot_be_are_refused_by_key(tmp_path, change, where):
    with pytest.raises(SpecError) as caught:
        read(tmp_path, {**BPE, **change})
    assert where in str(caught.value)


def test_a_missing_value_is_named(tmp_path):
    for key in ("tokenizer.ggml.model", "tokenizer.ggml.tokens", "tokenizer.ggml.merges"):
        with pytest.raises(SpecError, match=key):
            read(tmp_path, {k: v for k, v in BPE.items() if k != key})
    with pytest.raises(SpecError, match="scores"):
        read(tmp_path, {k: v for k, v in SPM.items() if "scores" not in k})


def test_no_such_token_is_no_token(tmp_path):
    assert read(tmp_path, {**BPE, "tokenizer.ggml.bos_token_id": 0xFFFFFFFF}).config.bos_token is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GGUF",
        b"FUGG" + b"\0" * 40,
        b"GGUF" + struct.pack("<IQQ", 1, 0, 0),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 60),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1 << 63),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("tokenizer.x") + struct.pack("<IIQ", 9, 8, 1 << 62),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("tokenizer.x") + struct.pack("<IIQ", 9, 4, 1 << 62),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("tokenizer.x") + struct.pack("<IIQ", 9, 9, 1),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("tokenizer.x") + struct.pack("<I", 77),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2) + b"\xff\xff",
    ],
)
def test_headers_that_lie_are_refused_with_their_offset(tmp_path, data):
    with pytest.raises(SpecError, match="offset 0x"):
        read(tmp_path, data)


def test_every_truncation_is_refused(tmp_path):
    whole = header(BPE)
    for size in range(len(whole)):
        with pytest.raises(SpecError):
            read(tmp_path, whole[:size])
    assert read(tmp_path, whole + b"tensors") == read(tmp_path, whole).replace(
        source=read(tmp_path, whole + b"tensors").source
    )


@given(st.sampled_from([BPE, SPM, BERT]), st.binary(max_size=12), st.integers(0, 2000), st.integers(0, 12))
def test_damaged_headers_give_a_spec_or_a_spec_error(tmp_path_factory, values, patch, at, gone):
    data = header(values)
    at %= len(data)
    with suppress(SpecError):
        read(tmp_path_factory.getbasetemp(), data[:at] + patch + data[at + gone :])


# -- files made by the gguf package from real tokenizers --------------------------------------------------------------


def write_with_gguf(path, folder, pre):
    """What convert_hf_to_gguf.py writes for a byte-level tokenizer: ids in order, added tokens by kind."""
    package = pytest.importorskip("gguf")
    data = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    tokens = {i: (token, 1) for token, i in data["model"]["vocab"].items()}
    tokens |= {t["id"]: (t["content"], 3 if t["special"] else 4) for t in data["added_tokens"]}
    writer = package.GGUFWriter(str(path), "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list([tokens.get(i, (f"[PAD{i}]", 5))[0] for i in range(max(tokens) + 1)])
    writer.add_token_types([tokens.get(i, ("", 5))[1] for i in range(max(tokens) + 1)])
    merges = data["model"]["merges"]
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def test_a_file_of_the_gguf_package_equals_the_tokenizer_json(tmp_path):
    folder = shared_vocab("smollm2")
    write_with_gguf(tmp_path / "x.gguf", folder, "smollm")
    one = gguf.read(str(tmp_path / "x.gguf"))
    other = hf_json.read(str(folder / "tokenizer.json"))

    assert one.model == other.model
    for field in ("normalizer", "pre_tokenizer", "added_tokens"):
        assert getattr(one, field) == getattr(other, field)


@pytest.mark.parametrize(
    ("name", "pre"),
    [
        ("smollm2", "smollm"),
        ("qwen2", "qwen2"),
        ("deepseek-r1-distill-qwen-1.5b", "deepseek-r1-qwen"),
        ("qwen3.5", "qwen35"),
        ("llama-3.2-instruct", "llama-bpe"),
        ("deepseek-v3", "deepseek-v3"),
        ("hunyuan-mt", "hunyuan-dense"),
    ],
)
def test_the_pipeline_of_a_known_name_is_that_of_its_tokenizer_json(name, pre):
    data = json.loads((shared_vocab(name) / "tokenizer.json").read_text("utf-8"))
    whole = data["model"].get("ignore_merges", False)
    data["model"] |= {"vocab": {}, "merges": []}
    theirs = hf_json.parse(json.dumps(data).encode())
    family = gguf._PRE[pre]()

    assert family.pre_tokenizer == theirs.pre_tokenizer
    assert family.normalizer == (None if theirs.normalizer == normalizers.Sequence(()) else theirs.normalizer)
    assert family.ignore_merges == whole
