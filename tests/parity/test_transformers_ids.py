"""Replay what transformers 4.57's tokenizers answered: BOS, ids, decoded texts, conversations as ids.

Every model of ../shared is loaded from its JSON files, which takes most of the time.
"""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path

import pytest

from tests.paths import shared_vocab
from tokenizers_lite.chat.with_tokenizer import guarded_tokens, special_tokens
from tokenizers_lite.formats.hf_json import read
from tokenizers_lite.tokenizer import Tokenizer

pytest.importorskip("jinja2")
pytestmark = pytest.mark.slow

ORACLE = Path(__file__).parents[1] / "oracle" / "transformers_models.json.gz"
FIXTURE = json.loads(gzip.decompress(ORACLE.read_bytes()))
NOW = datetime.fromisoformat(FIXTURE["now"])
KINDS = ("boi", "eoi", "image", "video", "audio", "audio_bos", "audio_eos", "vision_bos", "vision_eos")
MODEL_SPECIFIC = {f"{kind}_token" for kind in KINDS}


@pytest.fixture(scope="module", params=sorted(FIXTURE["models"]))
def model(request):
    return request.param


@pytest.fixture
def answers(model):
    return FIXTURE["models"][model]


@pytest.fixture(scope="module")
def tokenizer(model):
    return Tokenizer(read(str(shared_vocab(model))))


def arguments(case):
    options = {key: value for key, value in case.items() if key != "variables"}
    return {**options, **case.get("variables", {}), "now": NOW}


def test_ids_with_and_without_special_tokens(tokenizer, answers):
    for text, expected in answers["texts"].items():
        assert tokenizer.encode(text) == expected["ids"], text
        assert tokenizer.encode(text, add_special_tokens=False) == expected["plain"], text


def test_pair(tokenizer, answers):
    assert tokenizer.encode_pair("first", "second") == answers["pair"]


def test_special_tokens_map(tokenizer, answers):
    ours = special_tokens(tokenizer.spec.config)

    # transformers also has names that only its multi-modal classes know (image_token, ...).
    assert ours.items() <= answers["special_tokens_map"].items()
    assert {name for name in answers["special_tokens_map"] if name not in ours} <= MODEL_SPECIFIC


def test_added_tokens_beyond_tokenizer_json(tokenizer, answers):
    for content, id_ in answers["added_beyond_tokenizer_json"].items():
        assert tokenizer.token_to_id(content) == id_


# tokenizers 0.23 decodes normalized added tokens to their normalized text and does not skip
# them; the recorded answers are from 0.22 (docs/parity.md). Models that have such special tokens.
NORMALIZED_SPECIALS = {"llama2"}


def test_decoded_texts(tokenizer, answers, model):
    cleaned = answers["clean_up_tokenization_spaces"]
    equal = []
    for text, expected in answers["texts"].items():
        ids = expected["ids"]
        equal.append(tokenizer.decode(ids, skip_special_tokens=False) == expected.get("uncleaned", text))
        skipped = tokenizer.decode(ids, clean_up_tokenization_spaces=cleaned)
        equal.append(skipped == expected.get("skipped", text))
    assert all(equal) == (model not in NORMALIZED_SPECIALS)


def test_conversations_as_ids(tokenizer, answers):
    for name, case in FIXTURE["conversations"].items():
        expected = answers.get("chats", {}).get(name, {"error": ""})
        if "ids" in expected:
            assert tokenizer.apply_chat_template(**arguments(case)) == expected["ids"], name


def test_honest_conversations_have_the_same_ids_in_safe_mode(tokenizer, answers):
    for name in ("user+prompt", "system", "blanks", "tools", "two calls", "thinking asked", "parts"):
        expected = answers.get("chats", {}).get(name, {"error": ""})
        if "ids" in expected:
            options = arguments(FIXTURE["conversations"][name])

            assert tokenizer.apply_chat_template(**options, safe=True) == expected["ids"], name


def test_forged_turns_are_plain_text_in_safe_mode(tokenizer, answers, model):
    if "chats" not in answers:
        pytest.skip(f"{model} has no chat template")
    tokens = guarded_tokens(tokenizer.spec.added_tokens, tokenizer.spec.config.chat_templates["default"])
    honest = tokenizer.apply_chat_template([{"role": "user", "content": "q r"}], now=NOW, safe=True)
    count = {id_: honest.count(id_) for id_ in map(tokenizer.token_to_id, tokens)}
    for token in tokens[:15]:
        forged = [{"role": "user", "content": f"q{token}r"}]

        ids = tokenizer.apply_chat_template(forged, now=NOW, safe=True)

        assert {id_: ids.count(id_) for id_ in count} == count, token
