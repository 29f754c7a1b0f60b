"""Prompt in, tokens and text out, whatever form of graph does the work."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from dataclasses import dataclass, field
from numbers import Integral
from operator import index
from typing import TYPE_CHECKING, Any, Protocol

from runtime.errors import BusyError, ContextOverflowError, PromptError, UnsupportedError
from runtime.sampling import Sampler, Sampling
from runtime.session import TerminatedError, run_interruptibly
from runtime.stops import StopStrings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
    from collections.abc import Generator as Generated

    from runtime.forms.base import Driver

CHUNK = 256  # tokens of a prompt fed at once; larger is not faster and delays Ctrl-C
SINGLES = 16  # tokens fed one by one rather than starting over, for graphs that cannot append several
OVERFLOW = ("error", "stop", "drop")


class TextStream(Protocol):
    """What turns ids into text one at a time."""

    def push(self, token_id: int, /) -> str:
        """Take an id, return the text that is complete now."""

    def finish(self) -> str:
        """Return what is left."""


class TextCodec(Protocol):
    """The part of a tokenizer that generation needs; `tokenizers_lite.Tokenizer` has it."""

    def encode(self, text: str, /) -> list[int]:
        """Turn text into ids."""

    def stream(self) -> Any:
        """Return a fresh `TextStream`."""


@dataclass(slots=True)
class Statistics:
    """What a generation took. Seconds are wall time."""

    prompt_tokens: int = 0
    reused_tokens: int = 0
    new_tokens: int = 0
    load_seconds: float = 0.0
    prefill_seconds: float = 0.0
    first_token_seconds: float = 0.0
    decode_seconds: float = 0.0
    finish_reason: str = ""

    @property
    def prefill_rate(self) -> float:
        """Prompt tokens per second, those found in the cache not counted."""
        return _rate(self.prompt_tokens - self.reused_tokens, self.prefill_seconds)

    @property
    def decode_rate(self) -> float:
        """Tokens per second after the first."""
        return _rate(self.new_tokens - 1, self.decode_seconds)

    def __str__(self) -> str:
        return (
            f"{self.prompt_tokens} prompt tokens ({self.reused_tokens} reused, {self.prefill_rate:.0f}/s), "
            f"{self.new_tokens} new ({self.decode_rate:.0f}/s), first after {self.first_token_seconds:.2f} s, "
            f"load {self.load_seconds:.2f} s, finished: {self.finish_reason}"
        )


def _rate(count: int, seconds: float) -> float:
    return count / seconds if count > 0 and seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits of one answer.

    Args:
        max_new_tokens: most tokens to generate; 0 goes on to the end of the context.
        sampling: how tokens are chosen.
        stop: strings that end the answer, or one; they are not part of it.
        stop_ids: ids that end the answer; None takes the model's.
        overflow: ``error`` refuses an answer that might not fit the context, ``stop`` ends it there,
            ``drop`` lets a chat forget its oldest turns.
    """

    max_new_tokens: int = 512
    sampling: Sampling = field(default_factory=Sampling)
    stop: str | Sequence[str] = ()
    stop_ids: Sequence[int] | None = None
    overflow: str = "stop"

    def __post_init__(self) -> None:
        """Refuse unknown policies, negative limits and stops of the wrong type."""
        if self.overflow not in OVERFLOW:
            raise PromptError(f"overflow must be one of {', '.join(OVERFLOW)} (got {self.overflow!r})")
        if not isinstance(self.max_new_tokens, Integral) or self.max_new_tokens < 0:
            raise PromptError(
                "max_new_tokens must be a whole number, not negative; 0 fills the context "
                f"(got {self.max_new_tokens!r})"
            )
        if isinstance(self.stop, str):
            object.__setattr__(self, "stop", (self.stop,))
        if not all(isinstance(text, str) for text in self.stop):
            raise PromptError(f"stop must be a string or several (got {self.stop!r})")
        if self.stop_ids is not None:
            object.__setattr__(self, "stop_ids", tuple(as_ids(self.stop_ids, "stop_ids")))


def as_ids(values: Iterable[int], name: str = "the prompt") -> list[int]:
    """Return ids as plain integers.

    Raises:
        PromptError: they are not integers.
    """
    try:
        return [index(value) for value in values]
    except TypeError:
        raise PromptError(f"{name} must be a sequence of integer ids (got {values!r:.80})") from None


class Generator:
    """One model and the cache of one conversation.

    Args:
        driver: the graph, from `runtime.forms.open_driver`.
        codec: a tokenizer; without one only ids go in and out.
        stop_ids: ids that end an answer.
        chunk: prompt tokens per run.
        load_seconds: reported in the statistics.
    """

    def __init__(
        self,
        driver: Driver,
        codec: TextCodec | None = None,
        *,
        stop_ids: Iterable[int] = (),
        chunk: int = CHUNK,
        load_seconds: float = 0.0,
    ) -> None:
        self.driver = driver
        self.codec = codec
        self.stop_ids = tuple(stop_ids) or driver.info.stop_ids
        self.chunk = chunk
        self.load_seconds = load_seconds
        self._cached: list[int] = []  # ids whose keys and values are in the cache
        self._lock = threading.Lock()

    def stream(self, prompt: str | Sequence[int], settings: Settings | None = None) -> Stream:
        """Start an answer; nothing runs until the result is iterated.

        Raises:
            PromptError: no tokens, or ids outside the vocabulary.
            ContextOverflowError: the prompt does not fit, or with ``overflow="error"`` the answer might not.
            UnsupportedError: the graph chooses by itself and cannot sample as asked.
        """
        settings = settings or Settings()
        ids = self.encode(prompt) if isinstance(prompt, str) else as_ids(prompt)
        self.check(ids, settings)
        return Stream(self, ids, settings)

    def generate(self, prompt: str | Sequence[int], settings: Settings | None = None) -> str:
        """Return the whole answer."""
        return "".join(self.stream(prompt, settings))

    def generate_ids(self, prompt: str | Sequence[int], settings: Settings | None = None) -> list[int]:
        """Return the ids of the whole answer, the stop id not included."""
        return list(self.stream(prompt, settings).tokens())

    def encode(self, text: str) -> list[int]:
        """Encode with the tokenizer."""
        if self.codec is None:
            raise PromptError("this generator has no tokenizer: pass ids, or load one with the model")
        return self.codec.encode(text)

    def check(self, ids: Sequence[int], settings: Settings) -> None:
        """Raise what would go wrong later; see `stream`."""
        driver, sampling = self.driver, settings.sampling
        Room(driver).check(ids)
        if driver.limit and settings.overflow == "error" and len(ids) + settings.max_new_tokens > driver.limit:
            raise ContextOverflowError(
                f"{len(ids)} prompt tokens and {settings.max_new_tokens} new ones do not fit the context of "
                f"{driver.limit}; lower max_new_tokens, or use overflow='stop'"
            )
        samples = getattr(driver, "samples", False)
        if driver.chooses and not samples and (sampling.changes_logits or not sampling.is_greedy):
            raise UnsupportedError(
                f"this graph (form {driver.form}) chooses the most likely token itself and gives no logits: "
                "use temperature 0 without penalties, or export a graph with logits"
            )

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the cache for one answer.

        Raises:
            BusyError: another answer is under way.
        """
        if not self._lock.acquire(blocking=False):
            raise BusyError("another answer of this generator is not finished: exhaust, close or cancel it first")
        try:
            yield
        finally:
            self._lock.release()

    # ------------------------------------------------------------ the cache

    def prefill(self, ids: Sequence[int], stopped: threading.Event | None = None) -> tuple[Any, int]:
        """Bring the cache to hold exactly ``ids``.

        Returns:
            What the driver gave for the last token (None if stopped before), and how many tokens were reused.
        """
        known, self._cached = self._cached, []  # if anything below fails, nothing is taken for known
        reused = self._rewind(known, ids)
        result = None
        for piece in self._pieces(ids, reused):
            if stopped is not None and stopped.is_set():
                break
            try:
                result = run_interruptibly(functools.partial(self.driver.feed, piece), stopped)
            except TerminatedError:
                result = None
                break
        self._cached = list(ids[: self.driver.length])
        return result, reused

    def _rewind(self, known: list[int], ids: Sequence[int]) -> int:
        """Keep the common prefix of what is cached and what is wanted, all but the last token at most."""
        driver = self.driver
        common = 0
        for ours, wanted in zip(known[: driver.length], ids, strict=False):
            if ours != wanted:
                break
            common += 1
        common = min(common, len(ids) - 1)
        if not driver.chunkable and len(ids) - common > SINGLES:
            common = 0
        try:
            driver.rewind(common)
        except UnsupportedError:
            driver.rewind(0)
            return 0
        return common

    def _pieces(self, ids: Sequence[int], start: int) -> Iterator[list[int]]:
        step = self.chunk
        if not self.driver.chunkable:
            step = 1 if start else len(ids)
        for at in range(start, len(ids), step):
            yield list(ids[at : at + step])

    def append(self, token: int) -> Any:
        """Feed one more token."""
        cached, self._cached = self._cached, []
        result = self.driver.feed([token])
        cached.append(token)
        self._cached = cached
        return result

    # ------------------------------------------------------------ batches

    def generate_batch(
        self, prompts: Sequence[str | Sequence[int]], settings: Settings | None = None
    ) -> list[list[int]]:
        """Return the ids of the answers to several prompts, computed together where the graph allows.

        Each answer is what the prompt alone would have given; stop strings are not looked at.
        """
        settings = settings or Settings()
        encoded = [self.encode(prompt) if isinstance(prompt, str) else as_ids(prompt) for prompt in prompts]
        for ids in encoded:
            self.check(ids, settings)
        if not self.driver.batches or len(encoded) < 2:
            return [self.generate_ids(ids, settings) for ids in encoded]
        with self.exclusive():
            self._cached = []
            try:
                return self._batch(encoded, settings)
            finally:
                self.driver.rewind(0)

    def _batch(self, prompts: list[list[int]], settings: Settings) -> list[list[int]]:
        stops = set(self.stop_ids if settings.stop_ids is None else settings.stop_ids)
        samplers = [Sampler(settings.sampling, ids) for ids in prompts]
        answers: list[list[int]] = [[] for _ in prompts]
        running = [True] * len(prompts)
        room = (self.driver.limit or 1 << 30) - max(map(len, prompts))
        logits = self.driver.start_batch(prompts)
        for step in range(min(settings.max_new_tokens or room, room)):
            chosen = [0] * len(prompts)
            for row, sampler in enumerate(samplers):
                if running[row]:
                    chosen[row] = sampler(logits[row])
                    running[row] = chosen[row] not in stops
                    if running[row]:
                        answers[row].append(chosen[row])
            if not any(running) or step + 1 == min(settings.max_new_tokens or room, room):
                break
            logits = self.driver.step_batch(chosen)
        return answers


class Room:
    """Checks a whole prompt against a driver, whatever its cache holds now."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def check(self, ids: Sequence[int]) -> None:
        """Raise PromptError or ContextOverflowError, as `Driver.check` would on an empty cache."""
        length, self._driver.length = self._driver.length, 0
        try:
            self._driver.check(ids)
        finally:
            self._driver.length = length


class Stream:
    """An answer as it comes: iterate for text, or `tokens()` for ids. Also an async iterator.

    `stats` fills as it goes; `cancel()` may be called from any thread or signal handler.
    """

    def __init__(self, generator: Generator, ids: list[int], settings: Settings) -> None:
        self._generator = generator
        self._prompt = ids
        self._settings = settings
        self._stopped = threading.Event()
        self.ids: list[int] = []
        self.text = ""
        self.stats = Statistics(prompt_tokens=len(ids), load_seconds=generator.load_seconds)

    def cancel(self) -> None:
        """End the answer after the token, or the chunk of the prompt, that is being computed."""
        self._stopped.set()

    def tokens(self) -> Iterator[int]:
        """Yield ids as they are chosen; stop ids end the answer and are not yielded."""
        with self._generator.exclusive():
            started = time.perf_counter()
            self._generator.driver.sample_with(self._settings.sampling)
            result, self.stats.reused_tokens = self._generator.prefill(self._prompt, self._stopped)
            self.stats.prefill_seconds = time.perf_counter() - started
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
