"""vocab.txt gives what transformers makes of it: BERT with the options of tokenizer_config.json."""

import json

import pytest

from tests.paths import shared_vocab
from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats import hf_json, vocab_txt
from tokenizers_lite.spec import models, normalizers

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b", "Ä "]


def folder(tmp_path, tokens=TOKENS, newline="\n", **settings):
    (tmp_path / "vocab.txt").write_bytes(newline.join([*tokens, ""]).encode())
    if settings:
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    return str(tmp_path)


def test_defaults_are_those_of_bert(tmp_path):
    spec = vocab_txt.read(folder(tmp_path))

    assert spec.model == models.WordPiece({token: i for i, token in enumerate(TOKENS)}, "[UNK]", "##", 100)
    assert spec.normalizer == normalizers.BertNormalizer(True, True, None, True)
    assert [token.content for token in spec.added_tokens] == TOKENS[:5]
    assert [piece.id for piece in spec.post_processor.pair] == ["[CLS]", "A", "[SEP]", "B", "[SEP]"]
    assert {name: ids for name, ids, _ in spec.post_processor.special_tokens} == {"[CLS]": (2,), "[SEP]": (3,)}
    assert spec.source.kind == "vocab.txt"


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_other_line_ends_are_the_same(tmp_path, newline):
    assert len(vocab_txt.read(folder(tmp_path, newline=newline)).model.vocab) == len(TOKENS)


def test_options_of_the_configuration(tmp_path):
    path = folder(tmp_path, do_lower_case=False, strip_accents=True, tokenize_chinese_chars=False, unk_token="a")
    spec = vocab_txt.read(path + "/vocab.txt")

    assert spec.normalizer == normalizers.BertNormalizer(True, False, True, False)
    assert spec.model.unk_token == "a"
    (tmp_path / "tokenizer_config.json").write_text('{"do_basic_tokenize": false}')
    assert vocab_txt.read(path).normalizer == normalizers.BertNormalizer(True, False, False, False)


def test_missing_special_tokens_are_added(tmp_path):
    spec = vocab_txt.read(folder(tmp_path, ["a", "a", "b"]))
    assert dict(spec.model.vocab) == {"a": 1, "b": 2}  # the last of equal lines counts
    # From the size of the vocabulary on, whatever its largest id is, as tokenizers counts.
    assert [(t.id, t.content) for t in spec.added_tokens] == list(
        enumerate(["[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"], 2)
    )


def test_another_class_is_refused(tmp_path):
    with pytest.raises(SpecError, match="T5Tokenizer"):
        vocab_txt.read(folder(tmp_path, tokenizer_class="T5Tokenizer"))


@pytest.mark.parametrize("content", [b"", b"a\n\xff\n"])
def test_broken_files_are_refused(tmp_path, content):
    (tmp_path / "vocab.txt").write_bytes(content)
    with pytest.raises(SpecError, match=r"vocab\.txt"):
        vocab_txt.read(str(tmp_path))


def test_equals_the_tokenizer_json_beside_it():
    path = str(shared_vocab("bge-small-en-v1.5"))
    one, other = vocab_txt.read(path), hf_json.read(path)
    assert one.replace(source=other.source) == other
