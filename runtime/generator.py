"""Prompt in, tokens and text out, whatever form of graph does the work."""

from __future__ import annotations

import contextlib
import functools
import threading
from typing import TYPE_CHECKING, Any, Protocol

from runtime.errors import BusyError, ContextOverflowError, PromptError, UnsupportedError
from runtime.sampling import Sampler
from runtime.session import TerminatedError, run_interruptibly
from runtime.settings import Settings, as_ids
from runtime.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from runtime.forms.base import Driver

CHUNK = 256  # tokens of a prompt fed at once; larger is not faster and delays Ctrl-C
SINGLES = 16  # tokens fed one by one rather than starting over, for graphs that cannot append several


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
        refused = [name for name in sampling.asked if name not in driver.takes] if driver.chooses else []
        if refused:
            able = f"takes only {', '.join(sorted(driver.takes))}" if driver.takes else "takes the most likely one"
            raise UnsupportedError(
                f"this graph (form {driver.form}) chooses tokens itself and {able}: leave {', '.join(refused)} "
                "at the default (temperature 0), or export a graph with logits"
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
        # The last token chosen needs no place in the cache.
        rooms = [(self.driver.limit or 1 << 30) - len(ids) + 1 for ids in prompts]
        most = [min(settings.max_new_tokens or room, room) for room in rooms]
        logits = self.driver.start_batch(prompts)
        while True:
            chosen = [0] * len(prompts)
            for row in [row for row, runs in enumerate(running) if runs]:
                chosen[row] = samplers[row](logits[row])
                if chosen[row] not in stops:
                    answers[row].append(chosen[row])
                running[row] = chosen[row] not in stops and len(answers[row]) < most[row]
            if not any(running):
                return answers
            logits = self.driver.step_batch(chosen)


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
