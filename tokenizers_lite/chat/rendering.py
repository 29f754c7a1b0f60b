"""Render a conversation: choose the template, check the input, run it, say what went wrong where."""

from __future__ import annotations

from tokenizers_lite.chat.bounds import BoundExceeded, Budget, Limits, using
from tokenizers_lite.errors import MissingDependencyError, TemplateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from types import ModuleType
    from typing import Any

DEFAULT_LIMITS = Limits()
_CONTINUE = "CONTINUE_FINAL_MESSAGE_TAG "  # what transformers uses; a template could see it
_OLDEST_JINJA = (3, 1, 6)  # older sandboxes can be left through str.format and |attr (CVE-2024-56326, CVE-2025-27516)


def render(
    templates: Mapping[str, str],
    messages: Sequence[Mapping[str, Any]],
    *,
    name: str | None = None,
    tools: Iterable[Any] | None = None,
    documents: Sequence[Mapping[str, Any]] | None = None,
    add_generation_prompt: bool = False,
    continue_final_message: bool = False,
    special_tokens: Mapping[str, str | Sequence[str] | None] | None = None,
    variables: Mapping[str, Any] | None = None,
    now: datetime | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> str:
    """Render a conversation as text.

    Args:
        templates: Jinja sources by name, as the tokenizer's config gives them.
        messages: the turns; ``role``, ``content`` and whatever else the template reads.
        name: which template; by default `choose` decides.
        tools: JSON schemas or functions the model may call.
        documents: texts for retrieval-augmented answers.
        add_generation_prompt: end with the start of an assistant turn.
        continue_final_message: leave the last message open, to be continued.
        special_tokens: ``bos_token`` and so on, seen by the template; empty ones are left out.
        variables: further values for the template (``enable_thinking``); they win over special tokens.
        now: the time `strftime_now` shows; by default the clock's.
        limits: what the template may use.

    Raises:
        TemplateError: no such template, or it failed; the message names the line.
        MissingDependencyError: jinja2 is not installed or too old.
    """
    job = _Job(templates, name, tools, limits)
    given = job.given(messages, documents, add_generation_prompt, continue_final_message, variables)
    text = job.run(given, special_tokens or {}, now)
    return job.cut(text, messages) if continue_final_message else text


def render_safe(
    templates: Mapping[str, str],
    messages: Sequence[Mapping[str, Any]],
    tokens: Iterable[str],
    *,
    name: str | None = None,
    tools: Iterable[Any] | None = None,
    documents: Sequence[Mapping[str, Any]] | None = None,
    add_generation_prompt: bool = False,
    continue_final_message: bool = False,
    special_tokens: Mapping[str, str | Sequence[str] | None] | None = None,
    variables: Mapping[str, Any] | None = None,
    now: datetime | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[str, list[tuple[int, int]]]:
    """Render a conversation and find special-token text that the template did not write.

    Takes what `render` takes and the texts of the special tokens. Everything
    but the template and `special_tokens` counts as foreign: messages, tools,
    documents, variables.

    Returns:
        The text of `render`, and disjoint sorted character ranges. Encoding
        must not take a special token that overlaps a range; everything else
        is encoded as usual. Without special-token text in the input there are none.

    Raises:
        TemplateError: as `render`, or the template treats its own text in a
            way that hides what is whose (it then says so).
        MissingDependencyError: as `render`.
    """
    job = _Job(templates, name, tools, limits)
    given = job.given(messages, documents, add_generation_prompt, continue_final_message, variables)
    specials = special_tokens or {}
    plain = job.run(given, specials, now)
    wanted = sorted(set(tokens))
    marks = job.marks(wanted, given)
    marked = job.run(given, {key: _marked(value, marks) for key, value in specials.items()}, now, marks)
    if marks.unmark(marked) != plain:
        raise TemplateError(
            f"chat template {job.name!r}: safe mode cannot tell the template's text from the messages' here; "
            "render without it, or keep special-token text out of the messages"
        )
    text = job.cut(plain, messages) if continue_final_message else plain
    return text, _module("marks").foreign(text, marked, wanted, marks, _characters(given))


def choose(templates: Mapping[str, str], name: str | None = None, *, with_tools: bool = False) -> str:
    """Return the name of the template to use, as transformers chooses.

    A given name is looked up; else ``tool_use`` if there are tools, else
    ``default``; a single template needs no name.

    Raises:
        TemplateError: there is none, or several and none of them is meant.
    """
    known = ", ".join(sorted(templates))
    if not templates:
        raise TemplateError("this tokenizer has no chat template; pass one, or a model whose config has one")
    if name is not None:
        if name in templates:
            return name
        raise TemplateError(f"no chat template named {name!r}; there are: {known}")
    if with_tools and "tool_use" in templates:
        return "tool_use"
    if "default" in templates:
        return "default"
    if len(templates) == 1:
        return next(iter(templates))
    raise TemplateError(f"several chat templates and none is the default; pass one of these names: {known}")


class _Job:
    """One rendering: the chosen template and its limits."""

    def __init__(self, templates: Mapping[str, str], name: str | None, tools: Any, limits: Limits) -> None:
        self.name = choose(templates, name, with_tools=tools is not None)
        self.source = templates[self.name]
        self.limits = limits
        self.tools = None if tools is None else _module("tools").schemas(tools)
        if len(self.source) > limits.source:
            raise TemplateError(f"chat template {self.name!r}: longer than {limits.source} characters (Limits.source)")

    def given(self, messages: Any, documents: Any, prompt: bool, open_end: bool, variables: Any) -> dict[str, Any]:
        """Check the input and return what the template sees of it."""
        messages = getattr(messages, "messages", messages)  # a Conversation object, as transformers takes
        if not isinstance(messages, (list, tuple)):
            raise TemplateError(f"messages must be a list of dicts, got {type(messages).__name__}")
        for place, document in enumerate(documents or ()):
            if not isinstance(document, dict):
                raise TemplateError(f"documents[{place}] must be a dict with 'title' and 'text'")
        if open_end:
            if prompt:
                raise TemplateError("continue_final_message and add_generation_prompt exclude each other; pass one")
            messages = _opened(messages)
        given = {"messages": messages, "tools": self.tools, "documents": documents, "add_generation_prompt": prompt}
        if clash := given.keys() & (variables or {}).keys():
            raise TemplateError(f"variables may not replace {', '.join(sorted(clash))}; pass it as its own argument")
        return {**given, **(variables or {})}

    def run(self, given: dict[str, Any], specials: Mapping[str, Any], now: datetime | None, marks: Any = None) -> str:
        """Compile and render; every failure becomes a `TemplateError`."""
        environment = _jinja()
        seen = {**{key: value for key, value in specials.items() if value}, **given}
        token = environment.now.set(now)
        try:
            template = environment.compiled(self.source, marks, self.limits)
            with using(Budget(self.limits, list(seen.values()))) as budget:
                chunks = []
                for chunk in template.generate(seen):
                    budget.emit(len(chunk))
                    chunks.append(chunk)
            return "".join(chunks)
        except Exception as error:
            raise TemplateError(f"chat template {self.name!r}{_line(error, environment)}: {_reason(error)}") from error
        finally:
            environment.now.reset(token)

    def marks(self, tokens: Sequence[str], given: dict[str, Any]) -> Any:
        """Marks in a plane that neither the template nor the input uses."""
        module = _module("marks")
        used = _characters([given, self.source])
        for plane in module.PLANES:
            if not any(plane <= ord(char) < plane + 0x10000 for char in used):
                return module.Marks.of(tokens, plane)
        raise TemplateError("safe mode needs one of the planes U+F0000 and U+100000 free of the input's characters")

    def cut(self, text: str, messages: Any) -> str:
        """Cut the text where the final message ends (transformers, `render_jinja_template`)."""
        final = _final_text(getattr(messages, "messages", messages)[-1])
        tag = _CONTINUE.strip()
        if final.strip() not in text or tag not in text:
            raise TemplateError(
                f"chat template {self.name!r}: continue_final_message needs the final message in the text, "
                "but the template drops or changes it"
            )
        end = text.rindex(tag)
        # Where the blank after the tag is gone, the template trims: so was the message's own end.
        return text[:end] if text.startswith(_CONTINUE, end) else text[:end].rstrip()


def _opened(messages: Sequence[Any]) -> list[Any]:
    """Copy messages with the tag after the last one's text."""
    from copy import deepcopy

    copied: list[Any] = deepcopy(list(messages))
    if not copied:
        raise TemplateError("continue_final_message needs a message to continue")
    _final_text(copied[-1])
    content = copied[-1]["content"]
    if isinstance(content, str):
        copied[-1]["content"] = content + _CONTINUE
    else:
        part = next(part for part in reversed(content) if "text" in part)
        part["text"] += _CONTINUE
    return copied


def _final_text(message: Any) -> str:
    try:
        content = message["content"]
        if isinstance(content, (list, tuple)):
            content = next((part["text"] for part in reversed(content) if "text" in part), None)
    except (TypeError, KeyError):  # a message or a part that is no dict
        content = None
    if not isinstance(content, str):
        raise TemplateError("continue_final_message is set, but the final message has no text to continue")
    return content


def _marked(value: Any, marks: Any) -> Any:
    if isinstance(value, str):
        return marks.mark(value)
    return [marks.mark(item) for item in value] if value else value


def _characters(value: Any) -> set[str]:
    """Every character of every string inside."""
    if isinstance(value, str):
        return set(value)
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if not isinstance(value, (list, tuple)):
        return set(str(value)) if value is not None and not isinstance(value, (bool, int, float)) else set()
    return set().union(*map(_characters, value))


def _reason(error: Exception) -> str:
    if isinstance(error, BoundExceeded):
        return f"stopped: {error}"
    if isinstance(error, RecursionError):
        return "stopped: its expressions or calls are nested too deeply"
    from jinja2 import TemplateError as JinjaError

    return str(error) if isinstance(error, JinjaError) and str(error) else f"{type(error).__name__}: {error}"


def _line(error: Exception, environment: ModuleType) -> str:
    """``, line N`` of the template, as far as the error knows it."""
    # A SyntaxError of Python itself counts lines of the code that Jinja wrote.
    line = None if isinstance(error, SyntaxError) else getattr(error, "lineno", None)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == environment.FILENAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f", line {line}" if line else ""


def _module(name: str) -> ModuleType:
    """Import a module of this package when it is needed."""
    from importlib import import_module

    return _jinja() and import_module(f"tokenizers_lite.chat.{name}")


def _jinja() -> ModuleType:
    """Import the environment, or say how to get jinja2."""
    try:
        import jinja2
    except ImportError:
        raise MissingDependencyError(
            "chat templates need jinja2: run  pip install 'tokenizers-lite[chat]'  or  pip install 'jinja2>=3.1.6'"
        ) from None
    version = tuple(int(part) if part.isdigit() else 0 for part in jinja2.__version__.split(".")[:3])
    if version < _OLDEST_JINJA:
        raise MissingDependencyError(
            f"chat templates need jinja2 3.1.6 or newer, whose sandbox is safe; found {jinja2.__version__}: "
            "run  pip install --upgrade 'jinja2>=3.1.6'"
        )
    from tokenizers_lite.chat import environment

    return environment
