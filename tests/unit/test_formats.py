"""read() finds a file's kind by its content, and a folder's file by a fixed order."""

import json

import pytest

from tests.paths import shared_vocab
from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats import FOLDER_ORDER, kind, read

TOKENIZER = {"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}
LETTERS = {letter: i for i, letter in enumerate("ab")}


def ranks() -> bytes:
    import base64

    return b"".join(b"%s %d\n" % (base64.b64encode(bytes([i])), i) for i in range(256))


def write(folder, **files):
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("x.bin", b"GGUF\3\0\0\0", "gguf"),
        ("x", b'  {"version": "1.0"}', "tokenizer.json"),
        ("vocab.json", b'{"a": 0}', "tokenizer.json"),  # without merges.txt
        ("x.model", ranks(), "tiktoken"),
        ("x.model", b"\n\x0e\n\x05<unk>\x15\0\0\0\0\x18\2", "sentencepiece"),
        ("x.txt", b"[PAD]\n[UNK]\n", "vocab.txt"),
        ("x", b"\x89TKL\r\n\x1a\n", "compact"),
    ],
)
def test_kind_follows_from_the_content(tmp_path, name, content, expected):
    (tmp_path / name).write_bytes(content)
    assert kind(str(tmp_path / name)) == expected


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"\0\1\2", b"hello"])
def test_an_unknown_kind_is_an_error(tmp_path, content):
    path = tmp_path / "thing"
    path.write_bytes(content)
    with pytest.raises(SpecError, match="no tokenizer file of a kind known here"):
        read(str(path))


def test_a_folder_is_read_in_order(tmp_path):
    write(tmp_path, vocab__txt=b"[UNK]\n[CLS]\n[SEP]\n")
    assert read(str(tmp_path)).source.kind == "vocab.txt"

    write(tmp_path, vocab__json=LETTERS)  # not without merges.txt
    assert read(str(tmp_path)).source.kind == "vocab.txt"

    write(tmp_path, merges__txt=b"#version: 0.2\n", tokenizer_config__json={"tokenizer_class": "GPT2Tokenizer"})
    assert read(str(tmp_path)).source.kind == "vocab+merges"
    assert read(str(tmp_path / "vocab.json")) == read(str(tmp_path / "merges.txt")) == read(str(tmp_path))

    write(tmp_path, tokenizer__json=TOKENIZER)
    spec = read(str(tmp_path))
    assert spec.source.kind == "tokenizer.json"
    assert spec.config.tokenizer_class == "GPT2Tokenizer"
    assert read(str(tmp_path / "tokenizer.json")).config.tokenizer_class == ""  # a file alone is itself


def test_two_files_of_one_kind_are_an_error(tmp_path):
    write(tmp_path, a__gguf=b"GGUF", b__gguf=b"GGUF")
    with pytest.raises(SpecError, match="several"):
        read(str(tmp_path))


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(SpecError, match=r"tokenizer\.json"):
        read(str(tmp_path))
    assert FOLDER_ORDER[0] == "tokenizer.json"


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read(str(tmp_path / "tokenizer.json"))


def test_a_phone_vocabulary_names_its_reader():
    path = shared_vocab("hunyuan-mt") / "vocab_Hunyuan_MT.txt"
    with pytest.raises(SpecError, match="as_reader"):
        read(str(path))
