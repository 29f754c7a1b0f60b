"""Optimum, onnx-community and transformers.js graphs; also those of onnxruntime-genai.

Inputs ``past_key_values.{i}.key/.value``, outputs ``present.{i}.*`` and ``logits``. Two drivers:
`OptimumDriver` passes each output cache on as the next input; `SharedBufferDriver` gives graphs
with GroupQueryAttention one buffer of full length for both, bound once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from runtime.errors import ContextOverflowError, UnknownGraphError, UnsupportedError
from runtime.forms.base import Driver, Graph, ModelInfo, Port, cut, empty_cache
from runtime.session import ort, version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]

PREFIXES = (("past_key_values.", "present."), ("past_", "present_"), ("past.", "present."))
_SEQUENCE = 2  # axis of the cache along which it grows
_FIRST = 512  # tokens the shared buffer holds at first; it doubles when it is full


def cache_ports(graph: Graph) -> dict[str, str]:
    """Names of cache inputs -> names of the outputs that replace them."""
    pairs = {}
    for port in graph.inputs:
        for past, present in PREFIXES:
            if port.name.startswith(past) and graph.output(present + port.name[len(past) :]):
                pairs[port.name] = present + port.name[len(past) :]
                break
    return pairs


def _known_axes(port: Port, info: ModelInfo, batch: int) -> dict[int, int]:
    """Sizes of the axes that the graph leaves open."""
    known = {0: batch}
    if len(port.shape) == 4 and not isinstance(port.shape[3], int):
        if not info.head_dim:
            raise UnknownGraphError(
                f"the graph does not say the head size of {port.name}; put genai_config.json (head_size) "
                "or config.json beside it"
            )
        known[3] = info.head_dim
    return known


class OptimumDriver(Driver):
    """Form C, with or without position_ids, use_cache_branch, num_logits_to_keep, inputs_embeds."""

    form = "optimum"

    def __init__(self, graph: Graph, info: ModelInfo, limit: int, embed: Graph | None = None) -> None:
        super().__init__(info, limit)
        self.graph = graph
        self.embed = embed
        self._pairs = cache_ports(graph)
        self._ports = {port.name: port for port in graph.inputs}
        self._outputs = ["logits", *self._pairs.values()]
        self._check_known()
        self._positioned = "position_ids" in self._ports
        self.chunkable = "use_cache_branch" not in self._ports
        self.batches = self._positioned and self.chunkable
        last = graph.output("logits")
        if not self.vocab_size and last is not None and isinstance(last.shape[-1], int):
            self.vocab_size = last.shape[-1]
        self._rewindable = all(len(self._ports[name].shape) == 4 for name in self._pairs)
        self._mask = np.ones((1, 0), dtype=np.int64)
        self._empty()

    def _check_known(self) -> None:
        """Refuse inputs nobody would feed."""
        known = {"input_ids", "inputs_embeds", "attention_mask", "position_ids", "use_cache_branch"}
        known |= {"num_logits_to_keep"} | set(self._pairs)
        unknown = [name for name in self._ports if name not in known]
        if unknown or self.graph.output("logits") is None:
            what = f"the input {unknown[0]!r} is not known" if unknown else "the output 'logits' is missing"
            raise UnknownGraphError(f"{self.graph.path}: {what} in a graph of the Optimum form")
        if "inputs_embeds" in self._ports and self.embed is None:
            raise UnknownGraphError(f"{self.graph.path} takes embeddings: put embed_tokens.onnx beside it")

    def _empty(self, batch: int = 1) -> None:
        length = 0 if self.chunkable else 1  # the branch without cache wants a dummy it ignores
        self._cache = {}
        for name in self._pairs:
            port = self._ports[name]
            axis = _SEQUENCE if len(port.shape) == 4 else 0
            known = _known_axes(port, self.info, batch)
            if len(port.shape) == 4:
                self._cache[name] = empty_cache(port, axis, known, length)
            else:  # a state of fixed size (convolution, recurrence)
                self._cache[name] = empty_cache(port, 0, known, batch)
        self.length = 0
        self._mask = np.ones((batch, 0), dtype=np.int64)

    def _run(self, ids: Array, mask: Array, keep: int, run_options: Any) -> Array:
        """Run once; ids [batch, tokens], mask [batch, total]."""
        feed: dict[str, Array] = dict(self._cache)
        if self.embed is not None:
            (feed["inputs_embeds"],) = self.embed.session.run(None, {self.embed.inputs[0].name: ids})
        values = {
            "input_ids": ids,
            "attention_mask": mask,
            "position_ids": self._positions(mask)[:, -ids.shape[1] :],
            "use_cache_branch": np.array([self.length > 0]),
            "num_logits_to_keep": np.array(keep),
        }
        for name, value in values.items():
            if name in self._ports:
                feed[name] = value.astype(self._ports[name].dtype)
        logits, *caches = self.graph.session.run(self._outputs, feed, run_options)
        self._cache = dict(zip(self._pairs, caches, strict=True))
        self._mask = mask
        self.length = int(mask.shape[1])
        return np.asarray(logits, dtype=np.float32)

    def _positions(self, mask: Array) -> Array:
        """Places of tokens in their sequences; those of a batch whose answer is over stay within the tables."""
        places: Array = np.clip(mask.cumsum(axis=1) - 1, 0, (self.limit or 1 << 30) - 1)
        return places

    def _extend(self, ids: Array, keep: int, run_options: Any = None) -> Array:
        mask = np.ones((len(ids), self.length + ids.shape[1]), dtype=np.int64)
        mask[:, : self.length] = self._mask
        return self._run(ids, mask, keep, run_options)

    def feed(self, ids: Sequence[int], run_options: Any = None) -> NDArray[np.float32]:
        """Append tokens; return the logits of the last."""
        logits: NDArray[np.float32] = self._extend(np.array([ids]), 1, run_options)[0, -1]
        return logits

    def all_logits(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """Append tokens; return the logits of each."""
        logits: NDArray[np.float32] = self._extend(np.array([ids]), 0)[0]
        if len(logits) != len(ids):
            raise UnsupportedError("this graph keeps the logits of the last token only")
        return logits

    def rewind(self, length: int) -> None:
        """Cut the caches; a model with states that cannot be cut starts over."""
        if length == self.length and len(self._mask) == 1:
            return
        if length == 0 or not self._rewindable or len(self._mask) > 1:
            if length:
                raise UnsupportedError("the states of this model cannot be rewound; start over with rewind(0)")
            self._empty()
            return
        self._cache = {name: cut(cache, _SEQUENCE, length) for name, cache in self._cache.items()}
        self._mask = self._mask[:, :length]
        self.length = length

    def start_batch(self, prompts: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Feed prompts padded on the left, as transformers does."""
        if not self.batches:
            return super().start_batch(prompts)
        longest = max(map(len, prompts))
        ids = np.zeros((len(prompts), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            ids[row, longest - len(prompt) :] = prompt
            mask[row, longest - len(prompt) :] = 1
        self._empty(len(prompts))
        logits: NDArray[np.float32] = self._run(ids, mask, 1, None)[:, -1]
        return logits

    def step_batch(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """Append one token to each sequence."""
        logits: NDArray[np.float32] = self._extend(np.array(ids)[:, None], 1)[:, -1]
        return logits


class SharedBufferDriver(Driver):
    """Forms C and D with GroupQueryAttention: past and present are the same buffer.

    The operator takes scratch memory for as many positions as the buffer has, so the buffer starts small.
    """

    form = "shared buffer"
    batches = True

    def __init__(self, graph: Graph, info: ModelInfo, limit: int) -> None:
        super().__init__(info, limit)
        self.graph = graph
        self._pairs = cache_ports(graph)
        self._ports = {port.name: port for port in graph.inputs}
        logits = graph.output("logits")
        if logits is None:
            raise UnknownGraphError(f"{graph.path}: the output 'logits' is missing in a graph with a cache by name")
        # Until 1.19 GroupQueryAttention took several tokens only for an empty cache.
        self.chunkable = version(ort.__version__) >= (1, 20)
        self._dtype = logits.dtype
        if isinstance(logits.shape[-1], int):
            self.vocab_size = self.vocab_size or logits.shape[-1]
        self._ones = np.ones((1, 0), dtype=self._ports["attention_mask"].dtype)
        self._id = np.zeros((1, 1), dtype=self._ports["input_ids"].dtype)
        self._row = np.zeros((1, 1, self.vocab_size), dtype=self._dtype)
        self._keep = "num_logits_to_keep" in self._ports
        self._keeps = (np.array(0), np.array(1))  # bound memory has to outlive the binding
        self._allocate(1)

    def _allocate(self, batch: int) -> None:
        """Start over with empty buffers."""
        self._buffers: dict[str, Array] = {}
        self._capacity = 0
        self._lengths = [0] * batch
        self.length = 0
        self._reserve(1)

    def _reserve(self, length: int) -> None:
        """Make room for so many tokens; what the buffers hold is kept.

        Raises:
            ContextOverflowError: more than the limit.
        """
        if length <= self._capacity:
            return
        if length > self.limit:
            raise ContextOverflowError(f"{length} tokens do not fit the context of {self.limit}")
        while self._capacity < length:
            self._capacity = min(self._capacity * 2 or _FIRST, self.limit)
        self._step: Any = None  # the binding holds the old buffers
        kept, batch = max(self._lengths), len(self._lengths)
        for name in self._pairs:
            port = self._ports[name]
            grown = empty_cache(port, _SEQUENCE, _known_axes(port, self.info, batch), self._capacity)
            if kept:
                grown[:, :, :kept] = self._buffers[name][:, :, :kept]
            self._buffers[name] = grown
        self._ones = np.ones((1, self._capacity), dtype=self._ones.dtype)
        self._step = self._bind(slice(0, 1), self._id, 1)
        self._step.bind_ortvalue_output("logits", _value(self._row))

    def _bind(self, rows: slice, ids: Array, keep: int) -> Any:
        """Bind everything but the mask and the logits."""
        binding = self.graph.session.io_binding()
        for name, out in self._pairs.items():
            shared = _value(self._buffers[name][rows])
            binding.bind_ortvalue_input(name, shared)
            binding.bind_ortvalue_output(out, shared)
        binding.bind_ortvalue_input("input_ids", _value(ids))
        if self._keep:
            binding.bind_ortvalue_input("num_logits_to_keep", _value(self._keeps[keep]))
        return binding

    def _prefill(self, ids: Sequence[int], row: int, keep: int, run_options: Any = None) -> Array:
        """Append tokens to one sequence; return [positions, vocab]."""
        total = self._lengths[row] + len(ids)
        self._reserve(total)
        array = np.array([ids], dtype=self._id.dtype)
        binding = self._bind(slice(row, row + 1), array, keep)
        binding.bind_ortvalue_input("attention_mask", _value(self._ones[:, :total]))
        binding.bind_output("logits", "cpu")
        self.graph.session.run_with_iobinding(binding, run_options)
        self._lengths[row] = total
        logits: Array = binding.get_outputs()[len(self._pairs)].numpy()[0]
        return logits.astype(np.float32, copy=False)

    def feed(self, ids: Sequence[int], run_options: Any = None) -> NDArray[np.float32]:
        """Append tokens; the array returned is good until the next call."""
        if len(ids) > 1:
            logits: NDArray[np.float32] = self._prefill(ids, 0, 1, run_options)[-1]
        else:
            self._id[0, 0] = ids[0]
            total = self._lengths[0] + 1
            self._reserve(total)
            self._step.bind_ortvalue_input("attention_mask", _value(self._ones[:, :total]))
            self.graph.session.run_with_iobinding(self._step, run_options)
            self._lengths[0] = total
            logits = self._row[0, 0].astype(np.float32, copy=False)
        self.length = self._lengths[0]
        return logits

    def all_logits(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """Append tokens; return the logits of each."""
        logits = self._prefill(ids, 0, 0)
        self.length = self._lengths[0]
        if len(logits) != len(ids):
            raise UnsupportedError("this graph keeps the logits of the last token only")
        return logits

    def rewind(self, length: int) -> None:
        """Move the end back; nothing is copied."""
        if len(self._lengths) > 1:
            if length:
                raise UnsupportedError("a batch cannot be rewound; start over with rewind(0)")
            self._allocate(1)
        self.length = self._lengths[0] = length

    def start_batch(self, prompts: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Feed each prompt into its own row: rows are slices of one buffer, so no padding is computed."""
        self._allocate(len(prompts))
        return np.stack([self._prefill(prompt, row, 1)[-1].copy() for row, prompt in enumerate(prompts)])

    def step_batch(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """Append one token to each sequence; rows of different length only differ in their masks' sums."""
        # A row whose answer is over goes along; at the end of its buffer it writes the last place again.
        lengths = [min(length + 1, self.limit) for length in self._lengths]
        self._reserve(max(lengths))
        mask = (np.arange(max(lengths))[None, :] < np.array(lengths)[:, None]).astype(self._ones.dtype)
        array = np.array(ids, dtype=self._id.dtype)[:, None]
        binding = self._bind(slice(0, len(ids)), array, 1)
        binding.bind_ortvalue_input("attention_mask", _value(mask))
        binding.bind_output("logits", "cpu")
        self.graph.session.run_with_iobinding(binding)
        self._lengths = lengths
        logits: Array = binding.get_outputs()[len(self._pairs)].numpy()[:, -1]
        return logits.astype(np.float32, copy=False)


def _value(array: Array) -> Any:
    """Wrap an array without copying it; onnxruntime then reads and writes the array's own memory."""
    return ort.OrtValue.ortvalue_from_numpy(array)
