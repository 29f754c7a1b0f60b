"""One answer as it comes: ids, text without broken characters, stops, statistics."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from runtime.errors import PromptError
from runtime.sampling import Sampler
from runtime.settings import Statistics
from runtime.stops import StopStrings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from collections.abc import Generator as Generated

    from runtime.generator import Generator
    from runtime.settings import Settings


class Stream:
    """An answer as it comes: iterate for text, or `tokens()` for ids. Also an async iterator.

    `stats` fills as it goes; `cancel()` may be called from any thread or signal handler.
    """

    def __init__(self, generator: Generator, ids: list[int], settings: Settings) -> None:
        self._generator = generator
        self._prompt = ids
        self._settings = settings
        self._stopped = threading.Event()
        self._started = False
        self.ids: list[int] = []
        self.text = ""
        self.stats = Statistics(prompt_tokens=len(ids), load_seconds=generator.load_seconds)

    def cancel(self) -> None:
        """End the answer after the token, or the chunk of the prompt, that is being computed."""
        self._stopped.set()

    def tokens(self) -> Iterator[int]:
        """Yield ids as they are chosen; stop ids end the answer and are not yielded.

        Raises:
            BusyError: another answer of the same generator is under way.
            PromptError: this one has been iterated already.
        """
        with self._generator.exclusive():
            if self._started:
                raise PromptError("an answer can be iterated once; start another with `stream`")
            self._started = True
            started = time.perf_counter()
            self._generator.driver.sample_with(self._settings.sampling)
            result, self.stats.reused_tokens = self._generator.prefill(self._prompt, self._stopped)
            self.stats.prefill_seconds = time.perf_counter() - started
            self.stats.fed_tokens = self._generator.driver.length - self.stats.reused_tokens
            if result is None or self._stopped.is_set():
                self.stats.finish_reason = "cancelled"
                return
            yield from self._decode(result, started)

    def _decode(self, result: Any, started: float) -> Iterator[int]:
        generator, settings, stats = self._generator, self._settings, self.stats
        driver = generator.driver
        stops = frozenset(generator.stop_ids if settings.stop_ids is None else settings.stop_ids)
        sampler = Sampler(settings.sampling, self._prompt)
        first = 0.0
        stats.finish_reason = "cancelled"  # what remains if the caller stops asking
        while True:
            token = result if driver.chooses else sampler(result)
            now = time.perf_counter()
            if not stats.new_tokens:
                first, stats.first_token_seconds = now, now - started
            stats.decode_seconds = now - first
            stats.new_tokens += 1
            if token in stops:
                stats.finish_reason = "stop"
                return
            self.ids.append(token)
            full = bool(driver.limit) and driver.length >= driver.limit
            spent = stats.new_tokens == settings.max_new_tokens
            if full or spent:
                stats.finish_reason = "length" if spent else "context"
            yield token
            if full or spent or self._stopped.is_set():
                return
            result = generator.append(token)

    def __iter__(self) -> Iterator[str]:
        return self._pieces()

    def _pieces(self) -> Generated[str, None, None]:
        codec = self._generator.codec
        if codec is None:
            raise PromptError("this generator has no tokenizer: iterate over tokens() instead")
        decoder, stops = codec.stream(), StopStrings(self._settings.stop)
        for token in self.tokens():
            piece = stops.push(decoder.push(token))
            if piece:
                self.text += piece
                yield piece
            if stops.hit is not None:
                self.stats.finish_reason = "stop"
                return
        rest = stops.push(decoder.finish())
        rest += stops.finish()
        if stops.hit is not None:
            self.stats.finish_reason = "stop"
        if rest:
            self.text += rest
            yield rest

    async def __aiter__(self) -> AsyncIterator[str]:
        """Yield the same pieces while each step runs in a thread, so that the event loop stays free."""
        import asyncio

        pieces = self._pieces()
        done = object()
        running: asyncio.Future[Any] | None = None
        try:
            while True:
                running = asyncio.ensure_future(asyncio.to_thread(next, pieces, done))
                piece = await asyncio.shield(running)
                if piece is done:
                    return
                yield str(piece)
        finally:
            self.cancel()
            if running is not None and not running.done():
                await asyncio.wait([running])
            pieces.close()
