"""Form B with one graph: a cache per layer that grows, arg-max inside (Native-LLM 2025 to 2026).

B1 (March 2025): in_key_i, in_value_i [kv heads, past, head dim], then attention_mask float [1]
and input_ids int32 [1, tokens]; the chosen id is the first output.
B2: keys [kv heads, 1, head dim, past] and values [kv heads, 1, past, head dim], then input_ids,
history_len, ids_len and attention_mask int8 [1]; the caches come first, then the id and kv_seq_len.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from runtime.errors import UnknownGraphError, UnsupportedError
from runtime.forms.base import Driver, Graph, ModelInfo, Port, cut, empty_cache, sequence_axis
from runtime.forms.static import DECODE_MASK, PREFILL_MASK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]


def growing_caches(graph: Graph) -> list[tuple[Port, Port, int]]:
    """Cache inputs, their outputs and the axis that grows, in the graph's order.

    Raises:
        UnknownGraphError: a cache input has no output.
    """
    found = []
    for port in graph.inputs:
        if not port.name.startswith("in_"):
            continue
        out = graph.output("out_" + port.name[len("in_") :])
        if out is None:
            raise UnknownGraphError(f"{graph.path}: the cache {port.name} has no output out_{port.name[3:]}")
        found.append((port, out, sequence_axis(port, -1 if "key" in port.name else -2)))
    return found


class GrowingCaches:
    """Caches by input name; replaced after each run, cut on rewind."""

    def __init__(self, ports: Sequence[tuple[Port, Port, int]]) -> None:
        self.ports = ports
        self.outputs = [out.name for _, out, _ in ports]
        self.values: dict[str, Array] = {}
        self.clear()

    def clear(self) -> None:
        """Make every cache empty."""
        self.values = {port.name: empty_cache(port, axis, {}) for port, _, axis in self.ports}

    def replace(self, caches: Sequence[Array]) -> None:
        """Take over what a run returned, in the order of `outputs`."""
        self.values = {port.name: cache for (port, _, _), cache in zip(self.ports, caches, strict=True)}

    def rewind(self, length: int) -> None:
        """Keep the first ``length`` tokens."""
        self.values = {port.name: cut(self.values[port.name], axis, length) for port, _, axis in self.ports}


class DynamicDriver(Driver):
    """Drives forms B1 and B2."""

    chooses = True
    chunkable = False  # as in form A, the baked mask fits an empty cache only

    def __init__(self, graph: Graph, info: ModelInfo, limit: int) -> None:
        super().__init__(info, limit)
        self.graph = graph
        self._caches = GrowingCaches(growing_caches(graph))
        self._others = [port for port in graph.inputs if not port.name.startswith("in_")]
        chosen = [port for port in graph.outputs if not port.name.startswith("out_")]
        counts = {2: "dynamic, March 2025", 4: "dynamic"}
        if len(self._others) not in counts or not chosen:
            names = [port.name for port in self._others]
            raise UnknownGraphError(f"{graph.path}: a dynamic graph has 2 or 4 inputs beside its caches, not {names}")
        self.form = counts[len(self._others)]
        self._names = [chosen[0].name, *self._caches.outputs]

    def _inputs(self, ids: Sequence[int]) -> dict[str, Array]:
        """Values for everything but the caches, by position as the scripts bind them."""
        several = len(ids) > 1
        if len(self._others) == 2:
            values = [np.array([PREFILL_MASK if several else DECODE_MASK]), np.array([ids])]
        else:
            values = [np.array([ids]), np.array([self.length]), np.array([len(ids)]), np.array([int(several)])]
        return {port.name: value.astype(port.dtype) for port, value in zip(self._others, values, strict=True)}

    def feed(self, ids: Sequence[int], run_options: Any = None) -> int:
        """Append tokens; return the id the graph chose."""
        if self.length and len(ids) > 1:
            raise UnsupportedError("this graph takes several tokens only when its cache is empty")
        feed = {**self._caches.values, **self._inputs(ids)}
        chosen, *caches = self.graph.session.run(self._names, feed, run_options)
        self._caches.replace(caches)
        self.length += len(ids)
        return int(np.asarray(chosen).reshape(-1)[0])

    def rewind(self, length: int) -> None:
        """Cut the caches."""
        if length < self.length:
            self._caches.rewind(length)
        self.length = length
