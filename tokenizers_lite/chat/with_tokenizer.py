"""Chat templates with a tokenizer: messages -> ids or text."""

from __future__ import annotations

from tokenizers_lite.chat.rendering import DEFAULT_LIMITS, choose, render, render_safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from tokenizers_lite.chat.bounds import Limits
    from tokenizers_lite.spec import AddedToken, Config
    from tokenizers_lite.tokenizer import Tokenizer

_TOKEN_NAMES = (
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
    "additional_special_tokens",
)


def apply(
    tokenizer: Tokenizer,
    messages: Sequence[Mapping[str, Any]],
    *,
    tokenize: bool = True,
    safe: bool = False,
    chat_template: str | None = None,
    tools: Sequence[Any] | None = None,
    documents: Sequence[Mapping[str, Any]] | None = None,
    add_generation_prompt: bool = False,
    continue_final_message: bool = False,
    now: datetime | None = None,
    limits: Limits = DEFAULT_LIMITS,
    **variables: Any,
) -> list[int] | str:
    """Render a conversation and encode it, as `Tokenizer.apply_chat_template` says.

    Raises:
        TemplateError: there is no template, or it failed.
        MissingDependencyError: jinja2 is not installed.
    """
    config = tokenizer.spec.config
    templates, name = _templates(config, chat_template)
    options: dict[str, Any] = {
        "name": name,
        "tools": tools,
        "documents": documents,
        "add_generation_prompt": add_generation_prompt,
        "continue_final_message": continue_final_message,
        "special_tokens": special_tokens(config),
        "variables": variables,
        "now": now,
        "limits": limits,
    }
    if not (safe and tokenize):
        text = render(templates, messages, **options)
        # The template writes the BOS itself where the model wants one.
        return tokenizer.encode(text, add_special_tokens=False) if tokenize else text
    source = templates[choose(templates, name, with_tools=tools is not None)]
    tokens = guarded_tokens(tokenizer.spec.added_tokens, source)
    text, ranges = render_safe(templates, messages, tokens, **options)
    if not ranges:
        return tokenizer.encode(text, add_special_tokens=False)
    from tokenizers_lite._alignment import aligned
    from tokenizers_lite.tokenizer import scalars

    clean = scalars(text)
    if clean != text:  # pairs of surrogates were joined, so characters moved
        ranges = [(len(scalars(text[:start])), len(scalars(text[:end]))) for start, end in ranges]
    # The aligned path tells `skip` where matches lie in the text, even after normalizing.
    return list(aligned(tokenizer._components, clean, 0, skip_ranges(ranges)).ids)


def special_tokens(config: Config) -> dict[str, str | list[str]]:
    """Return what transformers calls the special tokens map, which templates see."""
    named = {name: getattr(config, name) for name in _TOKEN_NAMES}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in named.items() if value}


def guarded_tokens(added: Sequence[AddedToken], source: str) -> list[str]:
    """Choose the tokens that text in a message must not forge.

    Those with the special flag, and those that the template writes itself
    (``<think>``, DeepSeek's ``<｜User｜>``), which often lack it. Other added
    tokens are vocabulary (Gemma's ``<table>``, runs of white space).
    """
    return [token.content for token in added if token.content.strip() and (token.special or token.content in source)]


def skip_ranges(ranges: Sequence[tuple[int, int]]) -> Callable[[int, int, AddedToken], bool]:
    """Return a function that tells whether a match, in characters of the text, overlaps one of the ranges."""
    from bisect import bisect_left

    ends = [end for _, end in ranges]

    def overlaps(start: int, end: int, _token: AddedToken) -> bool:
        place = bisect_left(ends, start + 1)  # the first range that ends after the match starts
        return place < len(ranges) and ranges[place][0] < end

    return overlaps


def _templates(config: Config, chat_template: str | None) -> tuple[Mapping[str, str], str | None]:
    """A name picks one of the config's templates; Jinja source replaces them."""
    if chat_template is not None and chat_template not in config.chat_templates and "{" in chat_template:
        return {"default": chat_template}, None
    return config.chat_templates, chat_template
