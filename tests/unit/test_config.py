"""The files beside a vocabulary are applied as transformers 4.57.6 does.

The expected values were observed with transformers 4.57.6 and tokenizers 0.22.2
(AutoTokenizer.from_pretrained on the same folder).
"""

import json

import pytest

from tests.paths import models as model_names
from tests.paths import shared_vocab
from tokenizers_lite.errors import SpecError
from tokenizers_lite.formats import config, hf_json
from tokenizers_lite.spec import AddedToken
from tokenizers_lite.spec import post_processors as pp

VOCAB = {token: i for i, token in enumerate(["<unk>", "<s>", "</s>", "a", "b", "ab"])}
X = {"content": "<x>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": True, "special": False}
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False}


def template(*pieces, pair=()):
    special = [piece for piece in pieces if piece != "A"]
    return {
        "type": "TemplateProcessing",
        "single": [
            {"Sequence": {"id": "A", "type_id": 0}} if p == "A" else {"SpecialToken": {"id": p, "type_id": 0}}
            for p in pieces
        ],
        "pair": [{"Sequence": {"id": p, "type_id": 0}} for p in ("A", "B")],
        "special_tokens": {p: {"id": p, "ids": [VOCAB[p]], "tokens": [p]} for p in special},
    }


@pytest.fixture
def read(tmp_path):
    """Write a folder and read it: tokenizer.json's post_processor and added_tokens, then files by name."""

    def make(post_processor=None, added_tokens=(), **files):
        (tmp_path / "tokenizer.json").write_text(
            json.dumps(
                {
                    "version": "1.0",
                    "added_tokens": [{"id": 9, **token} for token in added_tokens],
                    "post_processor": post_processor,
                    "model": {"type": "BPE", "vocab": VOCAB, "merges": ["a b"]},
                }
            )
        )
        for name, content in files.items():
            path = tmp_path / name.replace("__", ".")
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return hf_json.read(str(tmp_path))

    return make


def tokens(spec):
    return [(t.id, t.content, t.special) for t in spec.added_tokens]


def test_a_folder_without_configuration(read):
    spec = read()
    assert spec.config.replace(chat_templates={}) == type(spec.config)()
    assert spec.added_tokens == ()


# -- BOS and EOS ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("processor", [None, BYTE_LEVEL])
def test_llama_adds_bos_where_the_file_adds_nothing(read, processor):
    spec = read(processor, tokenizer_config__json={"tokenizer_class": "LlamaTokenizerFast"})
    assert (spec.config.add_bos, spec.config.add_eos) == (True, False)
    assert (spec.config.bos_token, spec.config.eos_token) == ("<s>", "</s>")  # the class's own


@pytest.mark.parametrize("name", ["LlamaTokenizer", "GemmaTokenizer", "CodeLlamaTokenizer", "CohereTokenizerFast"])
def test_a_bos_that_the_file_adds_is_not_doubled(read, name):
    files = {"tokenizer_class": name, "bos_token": "<s>", "eos_token": "</s>"}
    spec = read(template("<s>", "A"), tokenizer_config__json=files)
    assert (spec.config.add_bos, spec.config.add_eos) == (False, False)
    assert [piece.id for piece in spec.post_processor.single] == ["<s>", "A"]


@pytest.mark.parametrize(
    ("bos", "eos", "expected"),
    [(False, None, ["A"]), (True, True, ["<s>", "A", "</s>"]), (False, True, ["A", "</s>"])],
)
def test_a_file_that_adds_other_tokens_gets_the_class_s_template(read, bos, eos, expected):
    settings = {"tokenizer_class": "LlamaTokenizer", "add_bos_token": bos, "add_eos_token": eos}
    spec = read(template("<s>", "A"), tokenizer_config__json=settings)

    assert (spec.config.add_bos, spec.config.add_eos) == (False, False)
    assert [piece.id for piece in spec.post_processor.single] == expected
    assert [(p.id, p.type_id) for p in spec.post_processor.pair] == [
        *((name, 0) for name in expected),
        *((name.replace("A", "B"), 1) for name in expected),
    ]


@pytest.mark.parametrize("name", ["PreTrainedTokenizerFast", "Qwen2Tokenizer", "GPT2Tokenizer", "Unheard", None])
def test_other_classes_follow_the_file_alone(read, name):
    settings = {"tokenizer_class": name, "add_bos_token": True, "bos_token": "<s>"}
    spec = read(BYTE_LEVEL, tokenizer_config__json=settings)
    assert not spec.config.add_bos
    assert spec.post_processor == pp.ByteLevel(True, False, True)


def test_gpt_neox_adds_a_bos_only_when_told(read):
    settings = {"tokenizer_class": "GPTNeoXTokenizer", "bos_token": "<s>"}
    assert not read(tokenizer_config__json=settings).config.add_bos
    assert read(tokenizer_config__json={**settings, "add_bos_token": True}).config.add_bos


def test_a_bos_that_does_not_exist_is_an_error(read):
    settings = {"tokenizer_class": "LlamaTokenizer", "bos_token": None}
    with pytest.raises(SpecError, match="add_bos_token"):
        read(tokenizer_config__json=settings)


# -- added tokens -----------------------------------------------------------------------------------------------------


def test_tokens_that_only_the_configuration_declares_are_added(read):
    decoder = {"30": {"content": "<z>"}, "20": {**X, "content": "<y>", "special": True}, "1": {**X, "content": "<s>"}}
    spec = read(added_tokens=[X], tokenizer_config__json={"added_tokens_decoder": decoder})
    assert tokens(spec) == [(1, "<s>", False), (6, "<x>", False), (7, "<y>", True), (8, "<z>", False)]


def test_declared_flags_replace_the_file_s(read):
    decoder = {"6": {"content": "<x>", "lstrip": True, "normalized": False}}
    spec = read(added_tokens=[X], tokenizer_config__json={"added_tokens_decoder": decoder})
    assert spec.added_tokens == (AddedToken(6, "<x>", lstrip=True, normalized=False),)


def test_a_declared_token_that_is_a_special_one_becomes_special(read):
    spec = read(added_tokens=[X], tokenizer_config__json={"extra_special_tokens": {"image_token": "<x>"}})
    assert spec.added_tokens == (AddedToken(6, "<x>", special=True),)


def test_special_tokens_that_nothing_holds_are_added(read):
    settings = {
        "pad_token": "<pad>",
        "unk_token": {"__type": "AddedToken", "content": "<w>", "rstrip": True, "normalized": True},
        "additional_special_tokens": ["<e>", "<pad>"],
        "extra_special_tokens": {"image_token": "<i>"},
    }
    spec = read(tokenizer_config__json=settings)
    assert tokens(spec) == [(6, "<w>", True), (7, "<pad>", True), (8, "<e>", True), (9, "<i>", True)]
    assert spec.added_tokens[0] == AddedToken(6, "<w>", rstrip=True, special=True)
    assert spec.config.additional_special_tokens == ("<e>", "<pad>")


def test_added_tokens_json(read):
    spec = read(
        added_tokens=[X],
        added_tokens__json={"<b>": 31, "<a>": 30, "<s>": 29},
        special_tokens_map__json={"bos_token": "<s>"},
    )
    assert tokens(spec) == [(1, "<s>", True), (6, "<x>", False), (7, "<a>", False), (8, "<b>", False)]
    assert spec.config.bos_token == "<s>"


def test_special_tokens_map_counts_only_without_added_tokens_decoder(read):
    mapped = {
        "eos_token": {"content": "</s>", "lstrip": True},
        "additional_special_tokens": ["<q>", {"content": "<r>"}],
    }
    spec = read(special_tokens_map__json=mapped, tokenizer_config__json={"additional_special_tokens": ["<p>"]})
    assert spec.config.eos_token == "</s>"
    assert spec.config.additional_special_tokens == ("<p>", "<q>", "<r>")
    assert spec.added_tokens[0] == AddedToken(2, "</s>", lstrip=True, normalized=False, special=True)

    spec = read(tokenizer_config__json={"added_tokens_decoder": {}})
    assert spec.config.eos_token is None


def test_code_llama_has_four_more(read):
    spec = read(tokenizer_config__json={"tokenizer_class": "CodeLlamaTokenizer", "suffix_token": "<suf>"})
    assert spec.config.additional_special_tokens == ("▁<PRE>", "▁<MID>", "<suf>", "▁<EOT>")


# -- the rest ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(512, 512), (1000000000000000019884624838656, None), (1e30, None), (None, None), ("x", None)],
)
def test_model_max_length(read, limit, expected):
    assert read(tokenizer_config__json={"model_max_length": limit}).config.model_max_length == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"generation_config__json": {"eos_token_id": [5, 2, 5]}}, (5, 2)),
        ({"generation_config__json": {"eos_token_id": 2}, "config__json": {"eos_token_id": 3}}, (2,)),
        ({"config__json": {"eos_token_id": 3}}, (3,)),
        (
            {"config__json": {"text_config": {"eos_token_id": 3}}, "tokenizer_config__json": {"eos_token": "</s>"}},
            (3, 2),
        ),
        ({"generation_config__json": {}}, ()),
    ],
)
def test_stop_ids(read, files, expected):
    assert read(**files).config.stop_ids == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("T", {"default": "T"}),
        ({"default": "T", "rag": "R"}, {"default": "T", "rag": "R"}),
        ([{"name": "rag", "template": "R"}, {"name": "default", "template": "T"}], {"default": "T", "rag": "R"}),
        (None, {"default": "J"}),  # of chat_template.json
    ],
)
def test_chat_templates_of_the_configuration(read, template, expected):
    spec = read(tokenizer_config__json={"chat_template": template}, chat_template__json={"chat_template": "J"})
    assert list(spec.config.chat_templates.items()) == list(expected.items())


def test_chat_template_files_win(read, tmp_path):
    (tmp_path / "additional_chat_templates").mkdir()
    (tmp_path / "additional_chat_templates" / "rag.jinja").write_text("R")
    spec = read(tokenizer_config__json={"chat_template": "T"}, chat_template__jinja="F")
    assert dict(spec.config.chat_templates) == {"default": "F", "rag": "R"}


def test_sources_name_the_files_that_counted(read):
    spec = read(tokenizer_config__json={}, generation_config__json={}, config__json={})
    names = [file.name for file in spec.source.files]
    assert names == ["tokenizer.json", "tokenizer_config.json", "config.json", "generation_config.json"]


@pytest.mark.parametrize(
    ("name", "content", "field"),
    [
        ("tokenizer_config__json", "{", "tokenizer_config.json"),
        ("tokenizer_config__json", "[]", "JSON object"),
        ("tokenizer_config__json", {"tokenizer_class": 1}, "tokenizer_class"),
        ("tokenizer_config__json", {"bos_token": 1}, "bos_token"),
        ("tokenizer_config__json", {"bos_token": {"content": "<s>", "lstrip": 1}}, "bos_token.lstrip"),
        ("tokenizer_config__json", {"added_tokens_decoder": {"x": {"content": "a"}}}, "added_tokens_decoder.x"),
        ("tokenizer_config__json", {"added_tokens_decoder": {"1": {}}}, "added_tokens_decoder.1"),
        ("tokenizer_config__json", {"additional_special_tokens": "<s>"}, "additional_special_tokens"),
        ("tokenizer_config__json", {"chat_template": 5}, "chat_template"),
        ("tokenizer_config__json", {"chat_template": [{"name": "x"}]}, "chat_template"),
        ("special_tokens_map__json", {"bos_token": []}, "special_tokens_map.json: bos_token"),
        ("added_tokens__json", {"<a>": "1"}, "'<a>'"),
        ("generation_config__json", {"eos_token_id": "2"}, "eos_token_id"),
        ("generation_config__json", {"eos_token_id": [-1]}, "eos_token_id"),
    ],
)
def test_values_of_the_wrong_type_are_refused_with_their_place(read, name, content, field):
    with pytest.raises(SpecError) as caught:
        read(**{name: content})
    assert field in str(caught.value)


# -- real folders -----------------------------------------------------------------------------------------------------

# What transformers 4.57.6 adds although tokenizer.json does not.
ADD_BOS = {"deepseek-r1-distill-qwen-1.5b": 151646, "deepseek-v3": 0}


LARGE = ("gemma-2", "gemma-3", "qwen3.5", "deepseek-v3")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in LARGE else ()) for name in model_names()]
)
def test_real_folders(name):
    folder = shared_vocab(name)
    alone = hf_json.read(str(folder / "tokenizer.json"))
    spec = config.apply(alone, str(folder))

    ids = {token.content: token.id for token in spec.added_tokens}
    assert (ids.get(spec.config.bos_token) if spec.config.add_bos else None) == ADD_BOS.get(name)
    assert not spec.config.add_eos
    assert spec.post_processor == alone.post_processor
    extra = sorted(token.id for token in set(spec.added_tokens) - set(alone.added_tokens))
    assert extra == (list(range(248070, 248077)) if name == "qwen3.5" else [])
