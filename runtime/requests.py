"""The body of a request of the OpenAI API -> ids and settings, or an error that names the parameter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from runtime.chat import fit
from runtime.errors import PromptError
from runtime.sampling import Sampling
from runtime.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runtime.generator import Generator


class RequestError(PromptError):
    """A request that cannot be served as it is; `status` is the HTTP code, `field` the parameter."""

    def __init__(self, message: str, field: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.field = field
        self.status = status


@dataclass(frozen=True, slots=True)
class Job:
    """A request that was understood."""

    ids: list[int]
    settings: Settings
    streaming: bool
    usage_wanted: bool
    chat: bool


def read_job(generator: Generator, values: Mapping[str, Any], *, chat: bool) -> Job:
    """Turn the body of a request into ids and settings.

    Raises:
        RequestError: a parameter is missing, of the wrong type, or not supported.
        PromptError: the prompt cannot be fed.
    """
    _refuse_unsupported(values)
    settings = read_settings(values, draws=not generator.driver.chooses or "temperature" in generator.driver.takes)
    if chat:
        ids, _ = fit(generator, _messages(values.get("messages")), replace(settings, overflow="drop"))
    else:
        prompt = values.get("prompt")
        if isinstance(prompt, list) and prompt and all(type(token) is int for token in prompt):
            ids = prompt
        elif isinstance(prompt, str):
            ids = generator.encode(prompt)
        else:
            raise RequestError("prompt must be a string or a list of ids", "prompt")
    generator.check(ids, settings)
    options = values.get("stream_options") or {}
    if not isinstance(options, dict):
        raise RequestError("stream_options must be an object", "stream_options")
    streaming = values.get("stream") or False
    if not isinstance(streaming, bool):
        raise RequestError("stream must be true or false", "stream")
    return Job(ids, settings, streaming, bool(options.get("include_usage")), chat)


def _refuse_unsupported(values: Mapping[str, Any]) -> None:
    """Refuse what would change the answer and is not done here, rather than answer something else."""
    for name in ("n", "best_of"):
        if values.get(name) not in (None, 1):
            raise RequestError(f"only {name}=1 is supported", name)
    for name in ("tools", "functions", "logprobs", "top_logprobs", "echo", "suffix", "modalities", "audio"):
        if values.get(name) and values[name] != ["text"]:
            raise RequestError(f"{name} is not supported", name)
    form = values.get("response_format")
    if form is not None and (not isinstance(form, dict) or form.get("type") != "text"):
        raise RequestError("response_format is not supported; only text is answered", "response_format")


def read_settings(values: Mapping[str, Any], *, draws: bool = True) -> Settings:
    """Read limits and sampling; what the API does not know (top_k, min_p, repetition_penalty) is taken too.

    Args:
        values: the body of the request.
        draws: whether the graph can draw tokens; if not, a temperature that is not given is 0 rather than 1.
    """
    stop = values.get("stop") or []
    stops = [stop] if isinstance(stop, str) else stop
    if not isinstance(stops, list) or not all(isinstance(text, str) for text in stops):
        raise RequestError("stop must be a string or a list of strings", "stop")
    bias = values.get("logit_bias") or {}
    try:
        pairs = {int(token): float(value) for token, value in bias.items()}
    except (AttributeError, TypeError, ValueError):
        raise RequestError("logit_bias must map ids to numbers", "logit_bias") from None
    sampling = Sampling(
        temperature=_number(values, "temperature", float(draws)),
        top_p=_number(values, "top_p", 1.0),
        top_k=_whole(values, "top_k", 0),
        min_p=_number(values, "min_p", 0.0),
        repetition_penalty=_number(values, "repetition_penalty", 1.0),
        presence_penalty=_number(values, "presence_penalty", 0.0),
        frequency_penalty=_number(values, "frequency_penalty", 0.0),
        seed=None if values.get("seed") is None else _whole(values, "seed", 0),
        logit_bias=pairs or None,
    )
    newest = "max_completion_tokens" if values.get("max_completion_tokens") is not None else "max_tokens"
    longest = _whole(values, newest, 512)
    if not longest:
        raise RequestError(f"{newest} must be at least 1; without it answers end after 512 tokens", newest)
    return Settings(max_new_tokens=longest, sampling=sampling, stop=tuple(stops))


def _number(values: Mapping[str, Any], name: str, default: float) -> float:
    value = values.get(name)
    if value is None:
        return default
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise RequestError(f"{name} must be a number", name)
    return value


def _whole(values: Mapping[str, Any], name: str, default: int) -> int:
    value = _number(values, name, default)
    if value != value // 1 or value < 0:
        raise RequestError(f"{name} must be a whole number, not negative (got {value})", name)
    return int(value)


def _messages(value: Any) -> list[dict[str, Any]]:
    """Check messages; content given in parts is joined, parts other than text are refused."""
    if not isinstance(value, list) or not value or not all(isinstance(entry, dict) for entry in value):
        raise RequestError("messages must be a list of objects with role and content", "messages")
    messages = []
    for entry in value:
        content = entry.get("content")
        if isinstance(content, list):
            if not all(isinstance(part, dict) and part.get("type") == "text" for part in content):
                raise RequestError("only text content is supported", "messages")
            content = "".join(str(part.get("text", "")) for part in content)
        if not isinstance(entry.get("role"), str) or not isinstance(content, str):
            raise RequestError("each message needs role and content", "messages")
        messages.append({**entry, "content": content})
    return messages
