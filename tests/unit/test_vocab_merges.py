"""vocab.json with merges.txt gives what transformers makes of them."""

import json

import pytest

from tests.paths import shared_vocab
from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats import hf_json, vocab_merges
from tokenizers_lite.spec import Pattern, models, normalizers
from tokenizers_lite.spec import post_processors as pp
from tokenizers_lite.spec import pre_tokenizers as pt

VOCAB = {"a": 0, "b": 1, "ab": 2, "<s>": 3, "</s>": 4, "<|endoftext|>": 5}


def folder(tmp_path, merges="#version: 0.2\na b\n", vocab=VOCAB, **settings):
    (tmp_path / "vocab.json").write_text(vocab if isinstance(vocab, str) else json.dumps(vocab))
    (tmp_path / "merges.txt").write_text(merges)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    return str(tmp_path)


@pytest.mark.parametrize("merges", ["#version: 0.2\na b\n", "a b", "a b\r\n\r\n"])
def test_gpt2(tmp_path, merges):
    spec = vocab_merges.read(folder(tmp_path, merges, tokenizer_class="GPT2Tokenizer"))

    assert spec.model == models.BPE(VOCAB, [("a", "b")])
    assert spec.pre_tokenizer == pt.ByteLevel(False, True, True)
    assert (spec.normalizer, spec.post_processor) == (None, pp.ByteLevel(True, False, True))
    assert [token.content for token in spec.added_tokens] == ["<|endoftext|>"]


def test_gpt2_options(tmp_path):
    path = folder(tmp_path, tokenizer_class="GPT2TokenizerFast", add_prefix_space=True, add_bos_token=True)
    spec = vocab_merges.read(path + "/vocab.json")

    assert spec.pre_tokenizer.add_prefix_space
    assert [piece.id for piece in spec.post_processor.pair] == ["<|endoftext|>", "A", "B"]


def test_roberta(tmp_path):
    spec = vocab_merges.read(folder(tmp_path, tokenizer_class="RobertaTokenizer"))
    assert spec.post_processor == pp.RobertaProcessing(("</s>", 4), ("<s>", 3), True, False)


def test_qwen2(tmp_path):
    spec = vocab_merges.read(folder(tmp_path, tokenizer_class="Qwen2Tokenizer"))
    assert spec.normalizer == normalizers.NFC()
    assert spec.pre_tokenizer.pretokenizers[0].pattern.regex

    path = folder(tmp_path, tokenizer_class="Qwen2Tokenizer", pretokenize_regex="x+")
    assert vocab_merges.read(path).pre_tokenizer.pretokenizers[0].pattern == Pattern("x+", True)


def test_an_unknown_class_asks_for_the_pre_tokenizer(tmp_path):
    path = folder(tmp_path, tokenizer_class="MysteryTokenizer")
    with pytest.raises(SpecError, match=r"MysteryTokenizer") as caught:
        vocab_merges.read(path)
    assert "pre_tokenizer=" in str(caught.value)

    spec = vocab_merges.read(path, pre_tokenizer=pt.Whitespace(), normalizer=normalizers.NFD())
    assert (spec.pre_tokenizer, spec.normalizer) == (pt.Whitespace(), normalizers.NFD())


@pytest.mark.parametrize(
    ("merges", "vocab", "where"),
    [
        ("a b\na b c\n", VOCAB, "line 2"),
        ("a b\nb a\n", VOCAB, "merge[1]"),
        ("", {"a": -1}, "vocab.json"),
        ("", "[1]", "vocab.json"),
        ("", "{", "vocab.json"),
    ],
)
def test_broken_files_are_refused_with_their_place(tmp_path, merges, vocab, where):
    with pytest.raises(SpecError) as caught:
        vocab_merges.read(folder(tmp_path, merges, vocab, tokenizer_class="GPT2Tokenizer"))
    assert where in str(caught.value)


def test_a_missing_file_is_an_os_error(tmp_path):
    (tmp_path / "vocab.json").write_text("{}")
    with pytest.raises(FileNotFoundError):
        vocab_merges.read(str(tmp_path))


@pytest.mark.parametrize("name", ["qwen2", "qwen2.5", "qwen3.5"])
def test_equals_the_tokenizer_json_beside_it(name):
    path = str(shared_vocab(name))
    one, other = vocab_merges.read(path), hf_json.read(path)

    assert one.model == other.model.replace(continuing_subword_prefix=None, end_of_word_suffix=None)
    for field in ("normalizer", "pre_tokenizer", "added_tokens", "config"):
        assert getattr(one, field) == getattr(other, field)
