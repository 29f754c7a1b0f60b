"""A conversation: messages in order, the template's prompt, what to do when it gets too long."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from runtime.errors import ContextOverflowError, PromptError
from runtime.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runtime.generator import Generator
    from runtime.stream import Stream

    Message = Mapping[str, Any]


class Chat:
    """Turns with one model. The cache is reused from turn to turn, since each prompt extends the last.

    Args:
        generator: a model with its tokenizer.
        system: the system message, if any.
        settings: limits and sampling of every answer; ``overflow="drop"`` forgets the oldest turns when
            prompt and answer no longer fit, the other policies are those of `Settings`.
        options: variables for the template (``enable_thinking``, ...).
    """

    def __init__(
        self, generator: Generator, *, system: str = "", settings: Settings | None = None, **options: Any
    ) -> None:
        if not hasattr(generator.codec, "apply_chat_template"):
            raise PromptError("a chat needs a tokenizer with a chat template beside the model")
        self.generator = generator
        self.settings = settings or Settings(overflow="drop")
        self.options = options
        self.messages: list[Message] = [{"role": "system", "content": system}] if system else []

    def ask(self, text: str) -> Answer:
        """Add a question; iterate over the result for the answer, which joins the conversation at its end.

        Raises:
            PromptError: the question is not text.
            ContextOverflowError: it does not fit, even after dropping what the policy allows.
        """
        if not isinstance(text, str):
            raise PromptError(f"a question must be text (got {text!r:.80})")
        question = {"role": "user", "content": text}
        self.messages.append(question)
        try:
            return Answer(self, self.start(self.messages), question)
        except Exception:
            self.messages.pop()
            raise

    def start(self, messages: Sequence[Message]) -> Stream:
        """Start an answer to messages that are not kept.

        Raises:
            ContextOverflowError: they do not fit, even after dropping what the policy allows.
        """
        ids, dropped = fit(self.generator, messages, self.settings, self.options)
        stream = self.generator.stream(ids, _without_drop(self.settings))
        stream.stats.dropped_messages = dropped
        return stream

    def forget(self) -> None:
        """Start over, keeping the system message."""
        self.messages = [message for message in self.messages[:1] if message["role"] == "system"]


def _without_drop(settings: Settings) -> Settings:
    """Settings for one answer, whose prompt has been made to fit."""
    return replace(settings, overflow="stop") if settings.overflow == "drop" else settings


def prompt_ids(generator: Generator, messages: Sequence[Message], options: Mapping[str, Any]) -> list[int]:
    """Render messages and the start of an answer.

    Raises:
        PromptError: the model has no tokenizer with a template.
        TemplateError: the template does not take these messages.
    """
    codec: Any = generator.codec
    if not hasattr(codec, "apply_chat_template"):
        raise PromptError("a chat needs a tokenizer with a chat template beside the model")
    return list(codec.apply_chat_template(list(messages), add_generation_prompt=True, **options))


def _check(messages: Sequence[Message]) -> None:
    if not messages:
        raise PromptError("there is nothing to answer: the list of messages is empty")
    for message in messages:
        if not hasattr(message, "get") or not isinstance(message.get("role"), str):
            raise PromptError(f"a message must be a mapping with role and content (got {message!r:.80})")


def fit(
    generator: Generator, messages: Sequence[Message], settings: Settings, options: Mapping[str, Any] | None = None
) -> tuple[list[int], int]:
    """Return the prompt of a conversation, and how many of its oldest messages had to go.

    With ``overflow="drop"`` whole turns are dropped from the front (a system message stays) until
    prompt and answer fit the context, or only the last message is left.

    Raises:
        PromptError: there are no messages, or one is not a mapping with a role.
        ContextOverflowError: what is left does not fit.
    """
    _check(messages)
    kept = list(messages)
    first = 1 if kept and kept[0]["role"] == "system" else 0
    limit = generator.driver.limit
    while True:
        ids = prompt_ids(generator, kept, options or {})
        reserve = min(settings.max_new_tokens or limit // 4, limit // 2)
        if settings.overflow != "drop" or not limit or len(ids) + reserve <= limit:
            break
        turn = next((i for i in range(first + 1, len(kept)) if kept[i]["role"] == "user"), None)
        if turn is None:
            break
        del kept[first:turn]
    if limit and len(ids) > limit:
        raise ContextOverflowError(
            f"the conversation has {len(ids)} tokens, the context {limit}; shorten the last message"
            + ("" if settings.overflow == "drop" else " or use overflow='drop'")
        )
    return ids, len(messages) - len(kept)


class Answer:
    """The answer to one question of a chat, as it comes."""

    def __init__(self, chat: Chat, stream: Stream, question: Message) -> None:
        self._chat = chat
        self._question = question
        self.stream = stream
        self.stats = stream.stats

    def cancel(self) -> None:
        """End the answer; what came so far stays in the conversation, and a question without any answer does not."""
        self.stream.cancel()

    def __iter__(self) -> Iterator[str]:
        try:
            yield from self.stream
        finally:
            self._keep()

    def _keep(self) -> None:
        """Add the answer to the conversation; a question cancelled before it had any leaves no trace."""
        if self.stream.text or self.stats.finish_reason not in ("", "cancelled"):
            self._chat.messages.append({"role": "assistant", "content": self.stream.text})
        elif self._chat.messages and self._chat.messages[-1] is self._question:
            self._chat.messages.pop()
