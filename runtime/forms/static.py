"""Form A: fixed-length input, the whole cache as two tensors, arg-max inside (Native-LLM until May 2025).

Inputs input_ids int32 [L], attention_mask float [1] (a multiplier of a baked triangular mask:
-65504 while several tokens are fed, 0 for one), two caches [layers, kv heads, L, head dim],
history_len and ids_len int64 [1]. One graph, or a chain: layers split over two files, or
embedding, body and head in three. Inputs and outputs share names in the script, and torch's
exporter renames one of them, so ports are told apart by type, rank and position.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from runtime.errors import UnknownGraphError, UnsupportedError
from runtime.forms.base import Driver, Graph, ModelInfo, Port

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]

PREFILL_MASK, DECODE_MASK = -65504.0, 0.0


def looks_static(graph: Graph) -> bool:
    """Whether a graph has the lengths that only this form takes."""
    stems = {port.stem for port in graph.inputs}
    return "ids_len" in stems and not any(port.name.startswith("in_key") for port in graph.inputs)


def order_stages(graphs: Sequence[Graph]) -> list[Graph]:
    """Put the graphs of a chain in the order they run: ids first, chosen id last.

    Raises:
        UnknownGraphError: they do not form a chain.
    """
    first = [graph for graph in graphs if any(port.stem == "input_ids" for port in graph.inputs)]
    rest = [graph for graph in graphs if graph not in first]
    last = [graph for graph in rest if _chosen(graph) is not None]
    middle = [graph for graph in rest if graph not in last]
    if len(first) != 1 or len(last) > 1 or (rest and not last):
        names = ", ".join(graph.path for graph in graphs)
        raise UnknownGraphError(f"these graphs do not make one chain from input_ids to a chosen id: {names}")
    return [*first, *middle, *last]


def _chosen(graph: Graph) -> Port | None:
    """Return the output that holds the chosen id."""
    whole = (np.int32, np.int64)
    return next((port for port in graph.outputs if port.dtype in whole and len(port.shape) <= 2), None)


class _Stage:
    """One graph of the chain with its own caches."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.cache_in = [port for port in graph.inputs if len(port.shape) == 4]
        self.cache_out = [port for port in graph.outputs if len(port.shape) == 4]
        if len(self.cache_in) != len(self.cache_out):
            raise UnknownGraphError(f"{graph.path}: {len(self.cache_in)} caches in, {len(self.cache_out)} out")
        known = {"input_ids", "attention_mask", "history_len", "ids_len"}
        others = [port for port in graph.inputs if port.stem not in known and port not in self.cache_in]
        if len(others) > 1:
            raise UnknownGraphError(f"{graph.path}: the input {others[1].name!r} has no place in this form")
        self.hidden_in = others[0].name if others else ""
        self.chosen = _chosen(graph)
        hidden = [port for port in graph.outputs if port not in self.cache_out and port is not self.chosen]
        self.hidden_out = hidden[0].name if hidden else ""
        self.caches: dict[str, Array] = {}

    def run(self, values: dict[str, Array], hidden: Array | None, run_options: Any) -> Array:
        """Run once; return the hidden state, or the chosen id of the last stage."""
        feed = dict(self.caches)
        for port in self.graph.inputs:
            if port.stem in values and port not in self.cache_in:
                feed[port.name] = values[port.stem].astype(port.dtype)
        if self.hidden_in and hidden is not None:
            feed[self.hidden_in] = hidden
        result = self.chosen.name if self.chosen is not None else self.hidden_out
        names = [result, *(port.name for port in self.cache_out)]
        out, *caches = self.graph.session.run(names, feed, run_options)
        self.caches = {port.name: cache for port, cache in zip(self.cache_in, caches, strict=True)}
        return np.asarray(out)


class StaticDriver(Driver):
    """Drives form A, one graph or a chain of them."""

    form = "static"
    chooses = True
    chunkable = False  # the baked mask is cut from its first row: right only for an empty cache

    def __init__(self, graphs: Sequence[Graph], info: ModelInfo, limit: int) -> None:
        self._stages = [_Stage(graph) for graph in order_stages(graphs)]
        caches = [port for stage in self._stages for port in stage.cache_in]
        ids = next(port for port in self._stages[0].graph.inputs if port.stem == "input_ids")
        lengths = {port.shape[2] for port in caches} | {ids.shape[0]}
        if len(lengths) != 1 or not isinstance(ids.shape[0], int) or not caches:
            raise UnknownGraphError(f"caches and input_ids of a static graph must share one length, found {lengths}")
        super().__init__(info, min(ids.shape[0], limit or ids.shape[0]))
        self._ids: Array = np.zeros(ids.shape[0], dtype=ids.dtype)
        self.rewind(0)

    def feed(self, ids: Sequence[int], run_options: Any = None) -> int:
        """Append tokens; return the id the graph chose."""
        if self.length and len(ids) > 1:
            raise UnsupportedError("a static graph takes several tokens only when its cache is empty")
        self._ids[: len(ids)] = ids
        values: dict[str, Array] = {
            "input_ids": self._ids,
            "attention_mask": np.array([PREFILL_MASK if len(ids) > 1 else DECODE_MASK]),
            "history_len": np.array([self.length]),
            "ids_len": np.array([len(ids)]),
        }
        out: Array | None = None
        for stage in self._stages:
            out = stage.run(values, out, run_options)
        assert out is not None
        self.length += len(ids)
        return int(out.reshape(-1)[0])

    def rewind(self, length: int) -> None:
        """Move the end back; what lies beyond is never read."""
        if length == 0:
            for stage in self._stages:
                stage.caches = {p.name: np.zeros(p.shape, dtype=p.dtype) for p in stage.cache_in}  # type: ignore[arg-type]
        self.length = length
