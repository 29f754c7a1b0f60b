"""Batches give what each text gives alone, whatever is in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.paths import shared_vocab
from tests.strategies import texts
from tokenizers_lite import _batch, added, components, load, pipeline
from tokenizers_lite.errors import SpecialTokenError
from tokenizers_lite.pipeline import together

MODELS = ["qwen3", "llama-3.2-instruct", "llama2", "gemma-2", "smollm2", "bge-small-en-v1.5"]
LOADED = {}


@pytest.fixture(params=MODELS)
def pair(request, monkeypatch):
    """Return (a tokenizer for single texts, one for batches that uses every fast means from the first character)."""
    folder = str(shared_vocab(request.param))
    alone = LOADED.setdefault(folder, load(folder))
    monkeypatch.setattr(_batch, "GROUP", 400)
    monkeypatch.setattr(pipeline, "BULK_LENGTH", 2)
    for name in ("BULK_LENGTH", "MANY", "TOGETHER"):
        monkeypatch.setattr(together, name, 2)
    for name in ("_PATIENCE", "_BULK_TOTAL"):
        monkeypatch.setattr(pipeline, name, 0)
    monkeypatch.setattr(added, "_PATIENCE", 0)
    monkeypatch.setattr(components, "_MARKED_LENGTH", 2)
    batches = load(folder)
    batches.encode_batch(["中文字符 abc " * 9] * 2)
    return alone, batches


def test_batches_are_the_single_texts(pair):
    alone, batches = pair

    @given(st.lists(texts() | texts().map(lambda text: text * 30), max_size=6), st.booleans())
    def check(batch, special):
        found = batches.encode_batch(batch, add_special_tokens=special)
        assert found == [alone.encode(text, add_special_tokens=special) for text in batch]

    check()


def test_no_text_gives_nothing(pair):
    for tokenizer in pair:
        assert tokenizer.encode_batch([]) == []
        assert tokenizer.encode_batch(["", ""], add_special_tokens=False) == [[], []]


def test_the_first_text_that_is_refused_is_named(pair):
    _, batches = pair
    special = next(token.content for token in batches.spec.added_tokens if token.special)

    with pytest.raises(SpecialTokenError):
        batches.encode_batch(["a", "b" + special, 5], disallowed_special="all", allowed_special=())
    with pytest.raises((AttributeError, TypeError)):
        batches.encode_batch(["a", 5, special], disallowed_special="all", allowed_special=())
