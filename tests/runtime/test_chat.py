"""Conversations: reuse of the cache, dropping of turns, mismatched tokenizers."""

from __future__ import annotations

import pytest
from tiny_models import write_folder
from toy_text import ToyCodec

from runtime.chat import Chat, fit
from runtime.errors import ContextOverflowError, MismatchError, PromptError
from runtime.export import export
from runtime.generator import Settings
from runtime.model import load


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    write_folder(folder, "llama", 29)
    export(folder, folder / "out")
    return folder / "out"


@pytest.fixture
def model(folder):
    return load(folder, tokenizer=ToyCodec(), max_length=120)


SHORT = Settings(max_new_tokens=6, overflow="drop")


def test_turns_accumulate_and_the_cache_is_reused(model):
    chat = Chat(model, system="be kind", settings=SHORT)
    first = "".join(chat.ask("one"))
    second = chat.ask("two")
    "".join(second)

    assert [message["role"] for message in chat.messages] == ["system", "user", "assistant", "user", "assistant"]
    assert chat.messages[2]["content"] == first
    assert second.stats.reused_tokens > len("systembe kind")


def test_the_oldest_turns_are_dropped_first(model):
    chat = Chat(model, system="be kind", settings=SHORT)
    for text in ("first " * 4, "second " * 4, "third " * 4):
        "".join(chat.ask(text))

    ids, dropped = fit(model, chat.messages, SHORT)

    assert dropped > 0
    assert dropped % 2 == 0
    assert len(ids) + 6 <= 120
    assert ids[: len("systembe kind") + 1] == model.codec.apply_chat_template(chat.messages[:1])


def test_what_was_dropped_is_in_the_statistics(model):
    chat = Chat(model, system="be kind", settings=SHORT)
    answers = []
    for text in ("first " * 4, "second " * 4, "third " * 4):
        answers.append(chat.ask(text))
        "".join(answers[-1])

    stats = answers[-1].stats

    assert answers[0].stats.dropped_messages == 0
    assert stats.dropped_messages > 0
    assert str(stats).startswith(f"{stats.dropped_messages} oldest messages dropped, ")
    assert stats.fed_tokens + stats.reused_tokens == stats.prompt_tokens
    assert stats.new_tokens == 6


def test_a_question_cancelled_before_its_answer_leaves_no_trace(model):
    chat = Chat(model, system="be kind", settings=SHORT)
    "".join(chat.ask("one"))
    before = list(chat.messages)

    answer = chat.ask("two")
    answer.cancel()

    assert "".join(answer) == ""
    assert answer.stats.finish_reason == "cancelled"
    assert answer.stats.fed_tokens == 0
    assert chat.messages == before
    assert "".join(chat.ask("two"))


def test_a_message_that_cannot_fit_is_refused_and_not_kept(model):
    chat = Chat(model, settings=SHORT)

    with pytest.raises(ContextOverflowError, match="shorten the last message"):
        chat.ask("x" * 200)
    assert chat.messages == []


@pytest.mark.parametrize("messages", [[], ["hi"], [{"content": "x"}], [{"role": 1, "content": "x"}]])
def test_messages_that_are_none_are_refused(model, messages):
    with pytest.raises(PromptError, match="message"):
        Chat(model, settings=SHORT).start(messages)


def test_a_question_is_text(model):
    chat = Chat(model, settings=SHORT)

    with pytest.raises(PromptError, match="must be text"):
        chat.ask(None)
    assert chat.messages == []


def test_forget_keeps_the_system_message(model):
    chat = Chat(model, system="s", settings=SHORT)
    "".join(chat.ask("hello"))
    chat.forget()

    assert chat.messages == [{"role": "system", "content": "s"}]


def test_a_chat_needs_a_template(folder):
    with pytest.raises(PromptError, match="chat template"):
        Chat(load(folder, tokenizer=False))


def test_a_tokenizer_of_another_model_is_refused(folder):
    class Larger(ToyCodec):
        vocab_size = 129

    class Elsewhere(ToyCodec):
        stop_ids = (77,)

    class Outside(ToyCodec):
        stop_ids = (2, 500)

    with pytest.raises(MismatchError, match="has 129 ids, the model 128"):
        load(folder, tokenizer=Larger())
    with pytest.raises(MismatchError, match=r"the model ends answers with \[2\], the tokenizer with \[77\]"):
        load(folder, tokenizer=Elsewhere())
    with pytest.raises(MismatchError, match="the id 500"):
        load(folder, tokenizer=Outside())
