"""A local HTTP server that speaks the OpenAI API, so that existing clients can try an exported model.

One model, one answer at a time; a bounded number of requests wait. Listens on this machine only
unless told otherwise, and then refuses requests addressed to other host names, so that web pages
cannot reach it by rebinding a name.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from runtime.chat import fit
from runtime.errors import MissingDependencyError, PromptError
from runtime.generator import Settings
from runtime.sampling import Sampling
from tokenizers_lite.errors import TokenizerError

try:
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.responses import JSONResponse, Response, StreamingResponse
    from starlette.routing import Route
except ImportError as error:  # pragma: no cover - exercised by hand
    message = "serving needs starlette and uvicorn: pip install 'tokenizers-lite[serve]'"
    raise MissingDependencyError(message) from error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.requests import Request

    from runtime.generator import Generator, Stream

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_REASONS = {"stop": "stop", "length": "length", "context": "length", "cancelled": "stop"}
_MAX_BODY = 4 << 20


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


class Service:
    """One generator behind a queue.

    Args:
        generator: the model.
        name: what the API calls it.
        queue: requests that may wait or run; further ones get 503.
    """

    def __init__(self, generator: Generator, name: str, queue: int = 8) -> None:
        self.generator = generator
        self.name = name
        self._limit = queue
        self._waiting = 0
        self._turn = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the model.

        Raises:
            RequestError: too many are waiting.
        """
        if self._waiting >= self._limit:
            raise RequestError("the model is busy and the queue is full; try again later", status=503)
        self._waiting += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting -= 1

    # ------------------------------------------------------------ endpoints

    async def models(self, _: Request) -> Response:
        """GET /v1/models."""
        model = {"id": self.name, "object": "model", "created": 0, "owned_by": "local"}
        return JSONResponse({"object": "list", "data": [model]})

    async def health(self, _: Request) -> Response:
        """GET /health."""
        return JSONResponse({"status": "ok", "waiting": self._waiting, "context": self.generator.driver.limit})

    async def chat(self, request: Request) -> Response:
        """POST /v1/chat/completions."""
        return await self._answer(request, chat=True)

    async def complete(self, request: Request) -> Response:
        """POST /v1/completions."""
        return await self._answer(request, chat=False)

    async def _answer(self, request: Request, *, chat: bool) -> Response:
        try:
            job = await asyncio.to_thread(read_job, self.generator, await _body(request), chat=chat)
            if job.streaming:
                if self._waiting >= self._limit:
                    raise RequestError("the model is busy and the queue is full; try again later", status=503)
                return StreamingResponse(self._events(job), media_type="text/event-stream")
            async with self.turn():
                return JSONResponse(await self._whole(job, request))
        except TokenizerError as error:
            return _failure(error)

    async def _whole(self, job: Job, request: Request) -> dict[str, Any]:
        """Return a finished answer; a client that goes away ends it."""
        stream = self.generator.stream(job.ids, job.settings)
        async for _ in stream:
            if await request.is_disconnected():
                stream.cancel()
        reply = self._frame(job, str(uuid.uuid4()))
        choice: dict[str, Any] = {"index": 0, "finish_reason": _REASONS[stream.stats.finish_reason], "logprobs": None}
        if job.chat:
            choice["message"] = {"role": "assistant", "content": stream.text}
        else:
            choice["text"] = stream.text
        return {**reply, "choices": [choice], "usage": _usage(stream)}

    async def _events(self, job: Job) -> AsyncIterator[str]:
        """Yield server-sent events; closing the connection cancels the answer."""
        identity = str(uuid.uuid4())
        try:
            async with self.turn():
                stream = self.generator.stream(job.ids, job.settings)
                if job.chat:
                    yield self._event(job, identity, {"role": "assistant", "content": ""})
                async for piece in stream:
                    yield self._event(job, identity, {"content": piece} if job.chat else piece)
                yield self._event(job, identity, {} if job.chat else "", _REASONS[stream.stats.finish_reason])
                if job.usage_wanted:
                    last = {**self._frame(job, identity, part=True), "choices": [], "usage": _usage(stream)}
                    yield f"data: {json.dumps(last)}\n\n"
        except TokenizerError as error:
            yield f"data: {json.dumps(_error_body(error))}\n\n"
        yield "data: [DONE]\n\n"

    def _frame(self, job: Job, identity: str, *, part: bool = False) -> dict[str, Any]:
        kind = ("chat.completion" + ".chunk" * part) if job.chat else "text_completion"
        prefix = "chatcmpl-" if job.chat else "cmpl-"
        return {"id": prefix + identity, "object": kind, "created": int(time.time()), "model": self.name}

    def _event(self, job: Job, identity: str, content: Any, reason: str | None = None) -> str:
        choice = {"index": 0, "delta" if job.chat else "text": content, "finish_reason": reason, "logprobs": None}
        return f"data: {json.dumps({**self._frame(job, identity, part=True), 'choices': [choice]})}\n\n"


async def _body(request: Request) -> Mapping[str, Any]:
    content = bytearray()
    async for block in request.stream():
        content += block
        if len(content) > _MAX_BODY:
            raise RequestError(f"the request is larger than {_MAX_BODY} bytes", status=413)
    try:
        values = json.loads(bytes(content))
    except ValueError as error:
        raise RequestError(f"the request is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise RequestError("the request must be a JSON object")
    return values


def _usage(stream: Stream) -> dict[str, Any]:
    stats = stream.stats
    return {
        "prompt_tokens": stats.prompt_tokens,
        "completion_tokens": stats.new_tokens,
        "total_tokens": stats.prompt_tokens + stats.new_tokens,
        "prompt_tokens_details": {"cached_tokens": stats.reused_tokens},
    }


def _error_body(error: Exception) -> dict[str, Any]:
    field = getattr(error, "field", None)
    return {"error": {"message": str(error), "type": "invalid_request_error", "param": field, "code": None}}


def _failure(error: TokenizerError) -> Response:
    status = error.status if isinstance(error, RequestError) else 400
    headers = {"Retry-After": "1"} if status == 503 else None
    return JSONResponse(_error_body(error), status_code=status, headers=headers)


# ---------------------------------------------------------------- requests


def read_job(generator: Generator, values: Mapping[str, Any], *, chat: bool) -> Job:
    """Turn the body of a request into ids and settings.

    Raises:
        RequestError: a parameter is missing, of the wrong type, or not supported.
        PromptError: the prompt cannot be fed.
    """
    if values.get("n") not in (None, 1):
        raise RequestError("only n=1 is supported", "n")
    settings = read_settings(values)
    if chat:
        ids, _ = fit(generator, _messages(values.get("messages")), replace(settings, overflow="drop"))
    else:
        prompt = values.get("prompt")
        if isinstance(prompt, list) and prompt and all(isinstance(token, int) for token in prompt):
            ids = prompt
        elif isinstance(prompt, str):
            ids = generator.encode(prompt)
        else:
            raise RequestError("prompt must be a string or a list of ids", "prompt")
    generator.check(ids, settings)
    options = values.get("stream_options") or {}
    return Job(ids, settings, bool(values.get("stream")), bool(options.get("include_usage")), chat)


def read_settings(values: Mapping[str, Any]) -> Settings:
    """Read limits and sampling; what the API does not know (top_k, min_p, repetition_penalty) is taken too."""
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
        temperature=_number(values, "temperature", 1.0),
        top_p=_number(values, "top_p", 1.0),
        top_k=int(_number(values, "top_k", 0)),
        min_p=_number(values, "min_p", 0.0),
        repetition_penalty=_number(values, "repetition_penalty", 1.0),
        presence_penalty=_number(values, "presence_penalty", 0.0),
        frequency_penalty=_number(values, "frequency_penalty", 0.0),
        seed=None if values.get("seed") is None else int(_number(values, "seed", 0)),
        logit_bias=pairs or None,
    )
    newest = "max_completion_tokens" if values.get("max_completion_tokens") is not None else "max_tokens"
    return Settings(max_new_tokens=int(_number(values, newest, 512)), sampling=sampling, stop=tuple(stops))


def _number(values: Mapping[str, Any], name: str, default: float) -> float:
    value = values.get(name)
    if value is None:
        return default
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise RequestError(f"{name} must be a number", name)
    return value


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


# ------------------------------------------------------------------ running


def application(generator: Generator, name: str = "model", *, host: str = "127.0.0.1", queue: int = 8) -> Starlette:
    """Return the ASGI application."""
    service = Service(generator, name, queue)
    routes = [
        Route("/v1/models", service.models),
        Route("/v1/chat/completions", service.chat, methods=["POST"]),
        Route("/v1/completions", service.complete, methods=["POST"]),
        Route("/health", service.health),
    ]
    guard = [Middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, "[::1]"])] if host in LOOPBACK else []
    return Starlette(routes=routes, middleware=guard)


def run(
    generator: Generator, *, name: str = "model", host: str = "127.0.0.1", port: int = 8080, queue: int = 8
) -> None:
    """Serve until interrupted."""
    try:
        import uvicorn
    except ImportError as error:
        raise MissingDependencyError("serving needs uvicorn: pip install 'tokenizers-lite[serve]'") from error
    print(f"http://{host}:{port}/v1 serves {name}; Ctrl-C ends")
    uvicorn.run(application(generator, name, host=host, queue=queue), host=host, port=port, log_level="warning")
