"""Worker processes: a large batch on several cores, with the results of one.

A batch is cut into runs of texts, each run goes to a worker that is idle, and
ids come back as bare numbers. Workers forked from this process have its
tokenizer, caches included; others map the bundled file again or unpickle the
spec. There are no threads and no queues: one pipe a worker, at most one run
in it, so that stopping is a matter of closing pipes and ending processes.
"""

from __future__ import annotations

from array import array

from tokenizers_lite.errors import WorkerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext
    from multiprocessing.process import BaseProcess
    from typing import Any, TypeAlias

    from tokenizers_lite.tokenizer import Tokenizer

    Packed = tuple[array[int], array[int]]  # lengths; ids of all in a row
    Source: TypeAlias = Tokenizer | tuple[str, str] | bytes  # itself; bundled file and name; pickled

# Characters, or ids, below which a batch is done in this process. Two forked workers start and end in 50 ms, in which
# one process encodes some 200,000 characters; with what is done before they start there is little to gain below this.
MIN_CHARACTERS = 1_000_000
MIN_IDS = 1_000_000
# The same where they run already, a twentieth: only the handing over is to be gained back.
_ONCE_RUNNING = 20
# Characters that are encoded here before workers are forked: so many that tables for long texts are made once for all.
_FIRST = 1 << 17
# Runs for each worker: enough that all end at about the same time.
_RUNS = 6
# Characters or ids of a run. Smaller ones cost more to hand over than they level out, larger ones keep others waiting.
_MIN_RUN, _MAX_RUN = 1 << 15, 1 << 20


class Workers:
    """Processes that encode and decode batches; kept, they are started once and stay warm.

    >>> with Workers(tokenizer, 4) as workers:
    ...     [workers.encode_batch(texts) for texts in (["Hello", "world"], ["!"])]
    [[[9707], [14615]], [[0]]]

    They start with the first batch that is large enough, and end with the
    block, after an error, or with this process. One thread at a time may use them.
    """

    def __init__(self, tokenizer: Tokenizer, count: int, *, context: BaseContext | None = None) -> None:
        """Prepare for `count` processes.

        Args:
            tokenizer: what they work with.
            count: how many; 1 is this process alone.
            context: how to start them (``multiprocessing.get_context("spawn")``);
                None is the way that Python or the program has chosen.

        Raises:
            ValueError: `count` is below 1.
        """
        if count < 1:
            raise ValueError(f"workers must be at least 1 (got {count}); leave it out to use this process alone")
        self._tokenizer = tokenizer
        self._count = count if _may_start() else 1
        self._context = context
        self._running: dict[Connection, BaseProcess] = {}

    def encode_batch(self, texts: Iterable[str], **options: Any) -> list[list[int]]:
        """Return what `Tokenizer.encode_batch` does with the same options.

        Raises:
            WorkerError: a process ended before its time.
        """
        texts = list(texts)
        sizes = _lengths(texts)
        if self._is_small(sum(sizes), MIN_CHARACTERS):
            return self._tokenizer.encode_batch(texts, **options)
        done = 0 if self._running or not self._forks() else _prefix(sizes, _FIRST)
        first = self._tokenizer.encode_batch(texts[:done], **options)
        runs = (texts[done + a : done + b] for a, b in self._runs(sizes[done:]))
        return first + [ids for part in self._run("encode", runs, options, _unpack) for ids in part]

    def decode_batch(self, batch: Iterable[Iterable[int]], **options: Any) -> list[str]:
        """Return what `Tokenizer.decode_batch` does with the same options.

        Only decoders that work piece by piece (WordPiece, for one) gain by
        workers; byte-level and sentencepiece ones stay in this process.

        Raises:
            WorkerError: a process ended before its time.
        """
        lists = [ids if isinstance(ids, list) else list(ids) for ids in batch]
        sizes = _lengths(lists)
        if self._is_small(sum(sizes), MIN_IDS) or _decodes_at_once(self._tokenizer) or not _fit(lists):
            return self._tokenizer.decode_batch(lists, **options)
        found = self._run("decode", (_pack(lists[a:b]) for a, b in self._runs(sizes)), options, list)
        return [text for part in found for text in part]

    def close(self) -> None:
        """End the processes, whatever they do; the next large batch starts new ones."""
        running, self._running = self._running, {}
        for end, process in running.items():
            end.close()
            process.terminate()
        for process in running.values():
            process.join()
            process.close()

    def __enter__(self) -> Workers:  # noqa: PYI034 - Self would need typing_extensions on Python 3.10
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _is_small(self, size: int, least: int) -> bool:
        return self._count == 1 or size < (least // _ONCE_RUNNING if self._running else least)

    def _runs(self, sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Cut items in a row into runs of about equal sizes."""
        wanted = min(max(sum(sizes) // (self._count * _RUNS), _MIN_RUN), _MAX_RUN)
        start = held = 0
        for at, size in enumerate(sizes, 1):
            held += size
            if held >= wanted or at == len(sizes):
                yield start, at
                start, held = at, 0

    def _run(self, what: str, runs: Iterator[Any], options: dict[str, Any], done: Callable[[Any], Any]) -> list[Any]:
        """Have every run done and return the results in order, or raise what the first that fails raises."""
        try:
            self.start()
            found = self._share_out(what, enumerate(runs), options, done)
        except BaseException:  # Ctrl-C too
            self.close()
            raise
        failed = min((at for at, result in found.items() if isinstance(result, Exception)), default=None)
        if failed is not None:
            self.close()
            raise found[failed]
        return [found[at] for at in range(len(found))]

    def _share_out(
        self, what: str, runs: Iterator[tuple[int, Any]], options: dict[str, Any], done: Callable[[Any], Any]
    ) -> dict[int, Any]:
        """Return number of run -> its result or exception; after an exception no further run is begun."""
        from multiprocessing.connection import wait

        found: dict[int, Any] = {}
        busy: dict[Connection, int] = {}

        def hand_out(end: Connection) -> None:
            for at, run in runs:
                self._send(end, (what, run, options))
                busy[end] = at
                break

        for end in self._running:
            hand_out(end)
        while busy:
            ready: Any = wait(list(busy))
            for end in ready:
                at = busy.pop(end)
                result = self._receive(end)
                if isinstance(result, Exception):
                    runs = iter(())
                    found[at] = result
                else:
                    hand_out(end)
                    found[at] = done(result)
        return found

    def start(self) -> None:
        """Start the processes now, unless they run."""
        if self._running or self._count == 1:
            return
        context, forked = self._how(), self._forks()
        source = self._tokenizer if forked else _source(self._tokenizer)
        pipes = [context.Pipe() for _ in range(self._count)]
        for mine, its in pipes:
            # A forked process has the ends of all others; held open, they would hide that this process is gone.
            others = [end for pair in pipes for end in pair if end is not its] if forked else []
            process = context.Process(target=_work, args=(its, others, source), daemon=True)
            process.start()
            self._running[mine] = process
        for _, its in pipes:
            its.close()

    def _how(self) -> Any:
        import multiprocessing

        return self._context or multiprocessing.get_context()

    def _forks(self) -> bool:
        return bool(self._how().get_start_method() == "fork")

    def _send(self, end: Connection, message: object) -> None:
        try:
            end.send(message)
        except OSError as error:
            raise self._ended(end) from error

    def _receive(self, end: Connection) -> Any:
        try:
            return end.recv()
        except (EOFError, OSError) as error:
            raise self._ended(end) from error

    def _ended(self, end: Connection) -> WorkerError:
        process = self._running[end]
        process.join(5)
        return WorkerError(
            f"a worker process ended before its time (exit code {process.exitcode}; below 0 is a signal, -9 often "
            "that memory ran out). If it could not start, stderr says why: where processes are not forked, a "
            'program must call this under `if __name__ == "__main__":`'
        )


def _work(end: Connection, others: list[Connection], source: Source) -> None:
    """Do runs until the other side is gone: what a worker process runs."""
    import signal

    # Ctrl-C reaches all processes of a terminal; the one that started us decides. Its handlers are not for us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in others:
        other.close()
    tokenizer = _tokenizer(source)
    while True:
        try:
            what, run, options = end.recv()
        except EOFError:
            return
        try:
            result: object
            if what == "encode":
                result = _pack(tokenizer.encode_batch(run, **options))
            else:
                result = tokenizer.decode_batch(_unpack(run), **options)
        except Exception as error:
            result = error
        end.send(result)


def _source(tokenizer: Tokenizer) -> Source:
    """Return from what a process that shares nothing with this one makes the tokenizer."""
    import pickle

    return (tokenizer._bundled, tokenizer.name) if tokenizer._bundled else pickle.dumps(tokenizer)


def _tokenizer(source: Source) -> Tokenizer:
    import pickle

    from tokenizers_lite import _open_compact

    if isinstance(source, bytes):
        return pickle.loads(source)  # type: ignore[no-any-return]  # noqa: S301 - from the process that started us
    return _open_compact(*source) if isinstance(source, tuple) else source


def _pack(lists: Sequence[list[int]]) -> Packed:
    """Put lists of ids in a row: bytes that cross a pipe without an object for each id."""
    ids = array("I")
    for each in lists:
        ids.fromlist(each)
    return array("Q", map(len, lists)), ids


def _unpack(packed: Packed) -> list[list[int]]:
    lengths, ids = packed
    found, start = [], 0
    for length in lengths:
        found.append(ids[start : start + length].tolist())
        start += length
    return found


def _prefix(sizes: Sequence[int], least: int) -> int:
    """Return how many of the first items are `least` long together."""
    held = 0
    for at, size in enumerate(sizes):
        if held >= least:
            return at
        held += size
    return len(sizes)


def _lengths(items: Sequence[Any]) -> list[int]:
    """Return the lengths; nothing if an item has none, which one process is to complain about."""
    try:
        return list(map(len, items))
    except TypeError:
        return []


def _decodes_at_once(tokenizer: Tokenizer) -> bool:
    """Tell whether ids become text by joining bytes, which takes no longer than to hand them over."""
    plan = tokenizer._components.byte_plan
    return tokenizer._components.engine is None and plan is not None and not plan.first_differs


def _fit(lists: Sequence[list[int]]) -> bool:
    """Tell whether all ids can be packed; others, which no vocabulary has, `decode` leaves out."""
    try:
        return all(not ids or (min(ids) >= 0 and max(ids) < 1 << 32) for ids in lists)
    except TypeError:
        return False


def _may_start() -> bool:
    """Tell whether there can be processes: not in browsers, not on phones, not in daemonic ones (of data loaders)."""
    try:
        import multiprocessing.connection
    except ImportError:
        return False
    return not multiprocessing.current_process().daemon
