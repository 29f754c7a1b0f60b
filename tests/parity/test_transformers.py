"""Replay what transformers 4.57 answered (tests/oracle/generate_transformers.py) on the models of ../shared."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path

import pytest

from tests.paths import shared_vocab
from tokenizers_lite import chat
from tokenizers_lite.chat.with_tokenizer import guarded_tokens
from tokenizers_lite.errors import TemplateError
from tokenizers_lite.spec import AddedToken

pytest.importorskip("jinja2")

ORACLE = Path(__file__).parents[1] / "oracle" / "transformers_models.json.gz"
FIXTURE = json.loads(gzip.decompress(ORACLE.read_bytes()))
NOW = datetime.fromisoformat(FIXTURE["now"])
KINDS = [(model, kind) for model, answers in FIXTURE["models"].items() for kind in answers if kind.endswith("chats")]


def template_of(model: str, kind: str) -> str:
    folder = shared_vocab(model)
    if kind == "processor_chats":
        return json.loads((folder / "chat_template.json").read_text("utf-8"))["chat_template"]
    if (folder / "chat_template.jinja").exists():
        return (folder / "chat_template.jinja").read_text("utf-8")
    return json.loads((folder / "tokenizer_config.json").read_text("utf-8"))["chat_template"]


def tokens_of(model: str, source: str) -> set[str]:
    tokens = json.loads((shared_vocab(model) / "tokenizer.json").read_text("utf-8"))["added_tokens"]
    added = [AddedToken(id=token["id"], content=token["content"], special=token["special"]) for token in tokens]
    return set(guarded_tokens(added, source))


def arguments(model: str, case: dict) -> dict:
    return {**case, "special_tokens": FIXTURE["models"][model]["special_tokens_map"], "now": NOW}


@pytest.mark.parametrize(("model", "kind"), KINDS)
def test_conversations_render_as_in_transformers(model, kind):
    templates = {"default": template_of(model, kind)}
    for name, case in FIXTURE["conversations"].items():
        expected = FIXTURE["models"][model][kind][name]

        if "error" in expected:
            with pytest.raises(TemplateError):
                chat.render(templates, **arguments(model, case))
        else:
            assert chat.render(templates, **arguments(model, case)) == expected["text"], f"{model}, {name}"


@pytest.mark.parametrize(("model", "kind"), KINDS)
def test_safe_mode_renders_the_same_and_protects_only_foreign_text(model, kind):
    source = template_of(model, kind)
    tokens = tokens_of(model, source)
    for name, case in FIXTURE["conversations"].items():
        expected = FIXTURE["models"][model][kind][name]
        if "error" in expected:
            continue

        text, ranges = chat.render_safe({"default": source}, tokens=tokens, **arguments(model, case))

        assert text == expected["text"], f"{model}, {name}"
        written = json.dumps([case["messages"], case.get("tools"), case.get("documents")], ensure_ascii=False)
        for start, end in ranges:
            assert text[start:end] in written, f"{model}, {name}: {text[start:end]}"
        if not any(token in written for token in tokens):
            assert ranges == [], f"{model}, {name}"


@pytest.mark.parametrize(("model", "kind"), KINDS)
def test_no_special_token_can_be_forged(model, kind):
    source = template_of(model, kind)
    tokens = tokens_of(model, source)
    templates = {"default": source}
    honest = {"messages": [{"role": "user", "content": "q"}], "add_generation_prompt": True}
    written = chat.render_safe(templates, tokens=tokens, **arguments(model, honest))[0]
    for token in sorted(tokens)[:15]:
        forged = {"messages": [{"role": "user", "content": f"q{token}r"}], "add_generation_prompt": True}

        text, ranges = chat.render_safe(templates, tokens=tokens, **arguments(model, forged))

        start = text.index(f"q{token}r") + 1
        assert any(first < start + len(token) and start < last for first, last in ranges), token
        assert text.replace(f"q{token}r", "q") == written
        assert all(start <= first and last <= start + len(token) for first, last in ranges), token
