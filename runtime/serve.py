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
from typing import TYPE_CHECKING, Any

from runtime.errors import MissingDependencyError, PromptError
from runtime.requests import RequestError, read_job
from tokenizers_lite.errors import TokenizerError

try:
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
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

    from runtime.generator import Generator
    from runtime.requests import Job
    from runtime.stream import Stream

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_REASONS = {"stop": "stop", "length": "length", "context": "length", "cancelled": "stop"}
_MAX_BODY = 4 << 20


class Service:
    """One generator behind a queue.

    Args:
        generator: the model.
        name: what the API calls it.
        queue: requests held at a time, the one being answered included; further ones get 503.
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
        return JSONResponse({"object": "list", "data": [self._model()]})

    async def model(self, request: Request) -> Response:
        """GET /v1/models/{name}."""
        name = request.path_params["name"]
        if name != self.name:
            return _failure(RequestError(f"the model here is {self.name!r}, not {name!r}", "model", 404))
        return JSONResponse(self._model())

    def _model(self) -> dict[str, Any]:
        return {"id": self.name, "object": "model", "created": 0, "owned_by": "local"}

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
    except (ValueError, RecursionError) as error:
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
    kind = "server_error" if getattr(error, "status", 400) >= 500 else "invalid_request_error"
    return {"error": {"message": str(error), "type": kind, "param": field, "code": None}}


async def _no_such(_: Request, error: Exception) -> Response:
    """Answer what no route takes in the form that clients read."""
    status = getattr(error, "status_code", 500)
    return _failure(
        RequestError(f"{getattr(error, 'detail', error)}; docs/runtime/generate.md lists what is served", None, status)
    )


async def _unforeseen(_: Request, error: Exception) -> Response:
    """Answer an error of ours in the form that clients read; the server logs it."""
    return _failure(RequestError(f"{type(error).__name__}: {error}", None, 500))


def _failure(error: TokenizerError) -> Response:
    status = error.status if isinstance(error, RequestError) else 400
    headers = {"Retry-After": "1"} if status == 503 else None
    return JSONResponse(_error_body(error), status_code=status, headers=headers)


# ------------------------------------------------------------------ running


def application(generator: Generator, name: str = "model", *, host: str = "127.0.0.1", queue: int = 8) -> Starlette:
    """Return the ASGI application.

    Raises:
        PromptError: no request would ever be taken.
    """
    if queue < 1:
        raise PromptError(f"queue must be at least 1 (got {queue})")
    service = Service(generator, name, queue)
    routes = [
        Route("/v1/models", service.models),
        Route("/v1/models/{name:path}", service.model),
        Route("/v1/chat/completions", service.chat, methods=["POST"]),
        Route("/v1/completions", service.complete, methods=["POST"]),
        Route("/health", service.health),
    ]
    guard = [Middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, "[::1]"])] if host in LOOPBACK else []
    return Starlette(
        routes=routes, middleware=guard, exception_handlers={HTTPException: _no_such, Exception: _unforeseen}
    )


def run(
    generator: Generator, *, name: str = "model", host: str = "127.0.0.1", port: int = 8080, queue: int = 8
) -> None:
    """Serve until interrupted."""
    try:
        import uvicorn
    except ImportError as error:
        raise MissingDependencyError("serving needs uvicorn: pip install 'tokenizers-lite[serve]'") from error
    if not 0 <= port < 1 << 16:
        raise PromptError(f"port must be between 0 and 65535 (got {port})")
    served = application(generator, name, host=host, queue=queue)
    print(f"http://{host}:{port}/v1 serves {name}; Ctrl-C ends", flush=True)
    uvicorn.run(served, host=host, port=port, log_level="warning")
