"""What every form of graph has to offer to the generator, and reading signatures."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from runtime.errors import ContextOverflowError, PromptError, UnknownGraphError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

DTYPES: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(uint32)": np.uint32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


@dataclass(frozen=True, slots=True)
class Port:
    """One input or output of a graph."""

    name: str
    dtype: Any
    shape: tuple[int | str | None, ...]

    @property
    def stem(self) -> str:
        """The name without the suffix that torch adds to an input named like an output."""
        head, dot, tail = self.name.rpartition(".")
        return head if dot and tail.isdigit() and not head.endswith(("past_key_values", "present")) else self.name


@dataclass(frozen=True, slots=True)
class Graph:
    """A session with its signature in plain values."""

    session: Any
    path: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    metadata: Mapping[str, str]

    @classmethod
    def of(cls, session: Any, path: str) -> Graph:
        """Read the signature of a session."""
        return cls(
            session,
            path,
            tuple(_port(port, path) for port in session.get_inputs()),
            tuple(_port(port, path) for port in session.get_outputs()),
            dict(session.get_modelmeta().custom_metadata_map),
        )

    def input(self, name: str) -> Port | None:
        """Return an input by its exact name."""
        return next((port for port in self.inputs if port.name == name), None)

    def output(self, name: str) -> Port | None:
        """Return an output by its exact name."""
        return next((port for port in self.outputs if port.name == name), None)

    def uses(self, operator: str) -> bool:
        """Whether the file contains a node of this type (node types are plain text in the file)."""
        import mmap

        if os.path.getsize(self.path) == 0:
            return False
        with open(self.path, "rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return data.find(operator.encode()) >= 0


def _port(port: Any, path: str) -> Port:
    if port.type not in DTYPES:
        raise UnknownGraphError(f"{path}: {port.name} has the type {port.type}, which the runtime cannot feed")
    return Port(port.name, DTYPES[port.type], tuple(port.shape))


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is known about a model beyond its graph, from the files beside it.

    Zero or empty means unknown.
    """

    vocab_size: int = 0
    context: int = 0
    head_dim: int = 0
    bos_ids: tuple[int, ...] = ()
    stop_ids: tuple[int, ...] = ()
    tokenizer: str = ""
    folder: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


class Driver(ABC):
    """Feeds tokens to a graph and keeps its cache.

    `length` tokens are in the cache. `feed` appends tokens and returns either the logits of the
    last one ([vocab] float32) or, when the graph itself chooses (`chooses`), the chosen id.
    """

    form: str = ""
    chooses = False
    chunkable = True  # whether several tokens can be fed after the first call
    batches = False
    takes: frozenset[str] = frozenset()  # names of `Sampling` that a graph which chooses by itself is fed

    def __init__(self, info: ModelInfo, limit: int) -> None:
        self.info = info
        self.limit = limit  # most tokens the cache can hold; 0 = not known
        self.vocab_size = info.vocab_size
        self.length = 0

    def check(self, ids: Sequence[int]) -> None:
        """Refuse what would fail, or silently go wrong, inside the graph.

        Raises:
            PromptError: no ids, or an id outside the vocabulary.
            ContextOverflowError: the cache cannot hold them.
        """
        if not ids:
            raise PromptError("there is nothing to feed: the prompt has no tokens")
        size = self.vocab_size
        if min(ids) < 0 or (size and max(ids) >= size):
            bad = next(token for token in ids if token < 0 or token >= size > 0 or token < 0)
            raise PromptError(
                f"id {bad} is outside the model's vocabulary of {size}: the tokenizer belongs to another model"
            )
        if self.limit and self.length + len(ids) > self.limit:
            raise ContextOverflowError(
                f"{self.length + len(ids)} tokens do not fit the context of {self.limit}; "
                "shorten the prompt, or raise max_length if the model allows more"
            )

    @abstractmethod
    def feed(self, ids: Sequence[int], run_options: Any = None) -> NDArray[np.float32] | int:
        """Append tokens; ``ids`` have been checked."""

    @abstractmethod
    def rewind(self, length: int) -> None:
        """Forget all but the first ``length`` tokens."""

    def all_logits(self, ids: Sequence[int]) -> NDArray[np.float32]:  # noqa: ARG002
        """Append tokens and return the logits of each, [tokens, vocab].

        Raises:
            UnsupportedError: the graph gives those of the last token only.
        """
        raise UnsupportedError(f"a graph of form {self.form} gives no logits for every position")

    def sample_with(self, settings: Any) -> None:  # noqa: B027 - most graphs have nothing to be told
        """Tell a graph that samples by itself how to; others ignore it."""

    def start_batch(self, prompts: Sequence[Sequence[int]]) -> NDArray[np.float32]:  # noqa: ARG002
        """Feed several prompts; return the logits of their last tokens, [batch, vocab]."""
        raise UnsupportedError(f"a graph of form {self.form} cannot hold several sequences")

    def step_batch(self, ids: Sequence[int]) -> NDArray[np.float32]:  # noqa: ARG002
        """Append one token to every sequence of the batch."""
        raise UnsupportedError(f"a graph of form {self.form} cannot hold several sequences")


def symbolic(shape: Sequence[int | str | None]) -> list[int]:
    """Axes of a shape that are not fixed."""
    return [axis for axis, size in enumerate(shape) if not isinstance(size, int)]


def sequence_axis(port: Port, default: int) -> int:
    """Axis along which a cache grows: the one that is not fixed, batch aside."""
    free = [axis for axis in symbolic(port.shape) if "batch" not in str(port.shape[axis])]
    if len(free) == 1:
        return free[0]
    return default % len(port.shape)


def empty_cache(port: Port, axis: int, known: Mapping[int, int], length: int = 0) -> NDArray[Any]:
    """Return a cache of ``length`` tokens for an input; other free axes come from ``known`` or are 1."""
    shape = [size if isinstance(size, int) else known.get(i, 1) for i, size in enumerate(port.shape)]
    shape[axis] = length
    return np.zeros(shape, dtype=port.dtype)


def cut(cache: NDArray[Any], axis: int, length: int) -> NDArray[Any]:
    """Keep the first ``length`` entries along an axis."""
    index = [slice(None)] * cache.ndim
    index[axis] = slice(0, length)
    return np.ascontiguousarray(cache[tuple(index)])
