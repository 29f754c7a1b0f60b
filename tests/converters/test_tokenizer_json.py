"""tokenizer.json as written here: Hugging Face loads it and gives equal ids; sentencepiece models included."""

import json

import pytest
from hypothesis import given

from tests.converters import tiny
from tests.paths import shared_corpus, shared_vocab
from tests.strategies import texts
from tokenizers_lite.formats import hf_json
from tokenizers_lite.spec import Config
from vocab_converters import tiktoken as tiktoken_writer
from vocab_converters.tokenizer_json import hf_form, to_plain, with_surroundings, write_json

tk = pytest.importorskip("tokenizers", reason="the oracle: pip install tokenizers==0.23.3")
MAKES = [tiny.byte_level, tiny.marker, tiny.wordpiece]


@pytest.mark.parametrize("make", MAKES)
def test_writing_and_reading_gives_the_spec_back(make):
    spec = tiny.spec_of(make())

    again = hf_json.parse(write_json(spec)[0])

    assert to_plain(again) == to_plain(spec)


@pytest.mark.parametrize("make", MAKES)
@given(text=texts())
def test_hugging_face_gives_equal_ids(make, text):
    oracle = make()
    again = loaded(make)

    assert again.encode(text).ids == oracle.encode(text).ids


_LOADED = {}


def loaded(make):
    if make not in _LOADED:
        _LOADED[make] = tk.Tokenizer.from_str(write_json(tiny.spec_of(make()))[0].decode())
    return _LOADED[make]


def test_bos_of_the_configuration_moves_into_the_file():
    spec = tiny.spec_of(tiny.marker()).replace(config=Config(bos_token="<s>", eos_token="</s>", add_bos=True))
    bos = spec.model.vocab["<s>"]

    again = tk.Tokenizer.from_str(write_json(spec)[0].decode())

    assert again.encode("x").ids[0] == bos
    assert again.encode("x", "y").ids.count(bos) == 2
    assert with_surroundings(spec).config.add_bos is False


@pytest.mark.parametrize("name", ["llama2", "minicpm-2b"])
def test_a_sentencepiece_model_becomes_a_file_with_equal_ids(name):
    spm = pytest.importorskip("sentencepiece", reason="the oracle: pip install sentencepiece")
    from tokenizers_lite.formats import sentencepiece

    path = shared_vocab(name) / "tokenizer.model"
    judge = spm.SentencePieceProcessor(model_file=str(path))
    spec = sentencepiece.read(str(path))
    again = tk.Tokenizer.from_str(json.dumps(to_plain(hf_form(spec))))

    for corpus in ("zh_fortunes_poems.txt", "code_python_js_html.txt", "emoji.txt"):
        for line in shared_corpus(corpus).splitlines()[::500]:
            if line:
                assert again.encode(line, add_special_tokens=False).ids == judge.encode(line)


def test_tiktoken_ranks_rebuild_the_merges():
    spec = tiny.spec_of(tiny.byte_level())

    data, losses = tiktoken_writer.write_tiktoken(spec)
    again = tiktoken_writer.read_back(spec, data)

    assert {loss.kind for loss in losses} == {"data"}
    assert list(again.model.merges) == list(spec.model.merges)


def test_the_tiktoken_library_reads_the_file(tmp_path):
    library = pytest.importorskip("tiktoken", reason="pip install tiktoken")
    from tiktoken.load import load_tiktoken_bpe

    spec = tiny.spec_of(tiny.byte_level())
    path = tmp_path / "tiny.tiktoken"
    path.write_bytes(tiktoken_writer.write_tiktoken(spec)[0])
    encoding = library.Encoding(
        "tiny", pat_str=tiny.QWEN, mergeable_ranks=load_tiktoken_bpe(str(path)), special_tokens={}
    )

    for text in ("the quick brown fox", "naïve café 中文", "don't  x_1\n"):
        assert encoding.encode(text) == tiny.byte_level().encode(text, add_special_tokens=False).ids
