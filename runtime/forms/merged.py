"""Form B3: one prefill and one decode graph with a strategy built in (Native-LLM, July 2026).

Caches come first and may be quantised: ``in_<kind>_<i>`` with kinds key, value, key_scale,
value_scale, key_bias, value_bias. Then input_ids and the lengths, then what the strategy needs.
Outputs: the caches, the chosen id, for penalty and sampling the ids so far, and kv_seq_len last.
Weights may live in a third file whose tensors are lent to both sessions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from runtime.errors import UnknownGraphError
from runtime.forms.base import Driver, Graph, ModelInfo, Port
from runtime.forms.dynamic import GrowingCaches, growing_caches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]


def is_prefill(graph: Graph) -> bool:
    """Whether this is the prefill graph of the pair."""
    return any("prefill_ids_len" in port.name for port in graph.inputs)


def is_decode(graph: Graph) -> bool:
    """Whether this is the decode graph of the pair; the name may carry a suffix."""
    return any("decode_kv_seq_len" in port.name for port in graph.inputs)


_TAKES = {
    "temperature": ("sampling_temperature",),
    "top_k": ("sampling_top_k",),
    "top_p": ("sampling_top_p",),
    "repetition_penalty": ("repetition_penalty", "penalty_value"),
}


class MergedDriver(Driver):
    """Drives a prefill and a decode graph over the same caches."""

    chooses = True
    chunkable = True

    def __init__(self, prefill: Graph, decode: Graph, info: ModelInfo, limit: int) -> None:
        super().__init__(info, limit)
        self._graphs = {True: prefill, False: decode}
        ports = {several: growing_caches(graph) for several, graph in self._graphs.items()}
        if [p[0].name for p in ports[True]] != [p[0].name for p in ports[False]]:
            raise UnknownGraphError(f"{prefill.path} and {decode.path} have different caches: not one model")
        self._caches = GrowingCaches(ports[True])
        self._saved: Array = np.zeros((1, 0), dtype=np.int32)
        self.settings: dict[str, float] = {"temperature": 1.0, "top_k": 1.0, "top_p": 1.0, "repetition_penalty": 1.0}
        names = " ".join(port.name for port in decode.inputs)
        self.takes = frozenset(setting for setting, parts in _TAKES.items() if any(part in names for part in parts))
        self.form = "merged, sampling" if "temperature" in self.takes else "merged"

    def sample_with(self, settings: Any) -> None:
        """Pass temperature, top-k, top-p and the repetition penalty to a graph that samples; greedy is top-k 1."""
        self.settings = {name: float(getattr(settings, name)) for name in self.settings}
        if settings.is_greedy:
            self.settings.update(temperature=1.0, top_k=1.0)
        elif not self.settings["top_k"]:
            self.settings["top_k"] = float(self.vocab_size or 50)

    def _value(self, port: Port, ids: Sequence[int]) -> Array:
        """Return what an input wants, by the part of its name that says so."""
        name = port.name
        if name.endswith("input_ids"):
            return np.array([ids])
        if "ids_len" in name:
            return np.array([len(ids)])
        if "history_len" in name or "cache_len" in name or "kv_seq_len" in name:
            return np.array([self.length])
        if "save_id" in name or "previous_ids" in name:
            return self._saved
        for setting in ("temperature", "top_k", "top_p", "repetition_penalty"):
            if setting in name:
                return np.array([self.settings[setting]])
        if "penalty_value" in name:
            return np.array([1 / max(self.settings["repetition_penalty"], 1e-6)])
        if "penalty_range" in name:
            return np.array([64])
        raise UnknownGraphError(f"the input {name!r} has no place in a merged graph")

    def feed(self, ids: Sequence[int], run_options: Any = None) -> int:
        """Append tokens; return the id the graph chose."""
        graph = self._graphs[len(ids) > 1 or self.length == 0]
        feed = dict(self._caches.values)
        for port in graph.inputs:
            if port.name not in feed:
                feed[port.name] = self._value(port, ids).astype(port.dtype).reshape(_rank(port, ids, self._saved))
        others = [port.name for port in graph.outputs if not port.name.startswith("out_")]
        outs = graph.session.run([*self._caches.outputs, *others], feed, run_options)
        count = len(self._caches.outputs)
        self._caches.replace(outs[:count])
        if len(others) > 2:
            self._saved = np.asarray(outs[count + 1]).reshape(1, -1)
        self.length += len(ids)
        return int(np.asarray(outs[count]).reshape(-1)[0])

    def rewind(self, length: int) -> None:
        """Cut the caches and forget the ids that penalties looked at."""
        if length < self.length:
            self._caches.rewind(length)
        self._saved = np.zeros((1, 0), dtype=np.int32)
        self.length = length


def _rank(port: Port, ids: Sequence[int], saved: Array) -> tuple[int, ...]:
    """Shape in which a value is fed: ids and histories are [1, n], the rest as the graph declares."""
    if port.name.endswith("input_ids"):
        return (1, len(ids))
    if "save_id" in port.name or "previous_ids" in port.name:
        return saved.shape
    return (1,) * len(port.shape)
