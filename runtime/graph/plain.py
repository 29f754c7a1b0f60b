"""The plain form: standard operators only, the signature of Hugging Face Optimum.

Inputs input_ids, attention_mask [batch, past + tokens], position_ids [batch, tokens] and
past_key_values.{i}.key/.value [batch, kv heads, past, head dim]; outputs logits, present.{i}.*.
The order of operations is that of transformers' eager attention.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from runtime.graph.writer import BOOL, FLOAT, INT64

if TYPE_CHECKING:
    from runtime.graph.decoder import Context
    from runtime.rope import Rope


class PlainBody:
    """Implements `runtime.graph.decoder.Body`."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.graph = context.graph
        self.config = context.config
        self._masks: dict[int, str] = {}
        self._rotations: dict[int, tuple[str, str]] = {}

    def begin(self) -> None:
        """Declare the inputs and what all layers share."""
        graph, config = self.graph, self.config
        graph.input("attention_mask", INT64, ["batch", "total"])
        graph.input("position_ids", INT64, ["batch", "tokens"])
        for layer in range(config.layers):
            for part in ("key", "value"):
                shape: list[int | str] = ["batch", config.kv_heads, "past", config.head_dim]
                graph.input(f"past_key_values.{layer}.{part}", self.context.float_kind, shape)
        one = graph.constant([1])
        self.total = graph.op("Shape", "attention_mask", start=1, end=2)
        self.tokens = graph.op("Shape", "input_ids", start=1, end=2)
        past = graph.op("Sub", self.total, self.tokens)
        scalar = graph.constant([], "scalar_shape")
        steps = [graph.op("Reshape", value, scalar) for value in (past, self.total)]
        zero, unit = graph.constant(np.array(0)), graph.constant(np.array(1))
        queries = graph.op("Range", steps[0], steps[1], unit)
        self._queries = graph.op("Unsqueeze", queries, one)  # [tokens, 1]
        self._keys = graph.op("Range", zero, steps[1], unit)  # [total]
        real = graph.op("Cast", "attention_mask", to=BOOL)
        self._real = graph.op("Unsqueeze", real, graph.constant([1, 2]))

    def _mask(self, window: int) -> str:
        """0 where a query may look, the lowest float where not: [batch, 1, tokens, total]."""
        if window not in self._masks:
            graph = self.graph
            seen = graph.op("LessOrEqual", self._keys, self._queries)
            if window:
                first = graph.op("Sub", self._queries, graph.constant([window]))
                seen = graph.op("And", seen, graph.op("Greater", self._keys, first))
            seen = graph.op("And", self._real, seen)
            lowest = float(np.finfo(self.context.options.precision.dtype).min)
            self._masks[window] = graph.op("Where", seen, self.context.scalar(0.0), self.context.scalar(lowest))
        return self._masks[window]

    def _rotation(self, rope: Rope) -> tuple[str, str]:
        """Cosine and sine of the positions, [batch, 1, tokens, dim] each, computed in float32."""
        if id(rope) not in self._rotations:
            graph = self.graph
            frequencies = graph.constant(rope.frequencies)
            if rope.long is not None:
                last = graph.op("ReduceMax", "position_ids", keepdims=0)
                longer = graph.op("GreaterOrEqual", last, graph.constant(np.array(rope.switch)))
                frequencies = graph.op("Where", longer, graph.constant(rope.long), frequencies)
            positions = graph.op("Cast", graph.op("Unsqueeze", "position_ids", graph.constant([1, 3])), to=FLOAT)
            half = graph.op("Mul", positions, frequencies)
            angles = graph.op("Concat", half, half, axis=-1)
            parts = [graph.op(name, angles) for name in ("Cos", "Sin")]
            if rope.gain != 1:
                parts = [graph.op("Mul", part, graph.constant(np.array(rope.gain, np.float32))) for part in parts]
            if self.context.options.precision.half:
                parts = [graph.op("Cast", part, to=self.context.float_kind) for part in parts]
            self._rotations[id(rope)] = (parts[0], parts[1])
        return self._rotations[id(rope)]

    def _rotate(self, x: str, rope: Rope) -> str:
        """Apply a rotary embedding to [batch, heads, tokens, head dim]."""
        graph = self.graph
        cosine, sine = self._rotation(rope)
        rest = ""
        if rope.dim < self.config.head_dim:
            sizes = graph.constant([rope.dim, self.config.head_dim - rope.dim])
            turned, rest = graph.fresh("turned"), graph.fresh("rest")
            graph.op("Split", x, sizes, out=[turned, rest], axis=-1)
            x = turned
        first, second = graph.fresh("first"), graph.fresh("second")
        graph.op("Split", x, graph.constant([rope.dim // 2] * 2), out=[first, second], axis=-1)
        swapped = graph.op("Concat", graph.op("Neg", second), first, axis=-1)
        y = graph.op("Add", graph.op("Mul", x, cosine), graph.op("Mul", swapped, sine))
        return graph.op("Concat", y, rest, axis=-1) if rest else y

    def norm(self, x: str, weight: str) -> str:
        """Return the RMS normalisation of x."""
        graph = self.graph
        half = self.context.options.precision.half
        wide = graph.op("Cast", x, to=FLOAT) if half else x
        mean = graph.op("ReduceMean", graph.op("Mul", wide, wide), graph.constant([-1]), keepdims=1)
        deviation = graph.op("Sqrt", graph.op("Add", mean, graph.constant(np.array(self.config.epsilon, np.float32))))
        y = graph.op("Div", wide, deviation)
        return graph.op("Mul", graph.op("Cast", y, to=self.context.float_kind) if half else y, weight)

    def add_norm(self, residual: str, x: str, weight: str) -> tuple[str, str]:
        """Return ``residual + x`` and its normalisation."""
        total = self.graph.op("Add", residual, x)
        return total, self.norm(total, weight)

    def _heads(self, layer: int, x: str, part: str, heads: int) -> str:
        """Project to [batch, heads, tokens, head dim], normalised per head where the family does."""
        graph, name = self.graph, f"layers.{layer}.{part}"
        y = self.context.linear.product(
            x, name, [self.context.weights[name]], self.context.weights.bias(name + "_bias")
        )
        y = graph.op("Reshape", y, graph.constant([0, 0, heads, self.config.head_dim]))
        if self.config.qk_norm and part != "v":
            y = self.norm(y, self.context.norm_weight(name + "_norm"))
        return graph.op("Transpose", y, perm=[0, 2, 1, 3])

    def attention(self, layer: int, x: str) -> str:
        """Return the attention output before its output matrix; writes the cache outputs."""
        graph, config = self.graph, self.config
        rope = config.rope_of(layer)
        query = self._rotate(self._heads(layer, x, "q", config.heads), rope)
        key = self._rotate(self._heads(layer, x, "k", config.kv_heads), rope)
        value = self._heads(layer, x, "v", config.kv_heads)
        cache = []
        for part, new in (("key", key), ("value", value)):
            out = f"present.{layer}.{part}"
            cache.append(graph.op("Concat", f"past_key_values.{layer}.{part}", new, out=out, axis=2))
            shape: list[int | str] = ["batch", config.kv_heads, "total", config.head_dim]
            graph.output(out, self.context.float_kind, shape)
        return self._attend(query, cache[0], cache[1], config.window(layer))

    def _attend(self, query: str, key: str, value: str, window: int) -> str:
        """Softmax attention; query heads are grouped by their key head instead of repeating keys."""
        graph, config = self.graph, self.config
        groups = config.heads // config.kv_heads
        grouped = graph.constant([0, config.kv_heads, groups, -1, config.head_dim])
        query = graph.op("Reshape", query, grouped)
        key, value = (graph.op("Unsqueeze", part, graph.constant([2])) for part in (key, value))
        scores = graph.op("MatMul", query, graph.op("Transpose", key, perm=[0, 1, 2, 4, 3]))
        scores = graph.op("Mul", scores, self.context.scalar(config.scale))
        if config.attention_cap:
            cap = self.context.scalar(config.attention_cap)
            scores = graph.op("Mul", graph.op("Tanh", graph.op("Div", scores, cap)), cap)
        mask = graph.op("Unsqueeze", self._mask(window), graph.constant([1]))
        weights = graph.op("Softmax", graph.op("Add", scores, mask), axis=-1)
        y = graph.op("MatMul", weights, value)
        y = graph.op("Reshape", y, graph.constant([0, config.heads, -1, config.head_dim]))
        y = graph.op("Transpose", y, perm=[0, 2, 1, 3])
        return graph.op("Reshape", y, graph.constant([0, 0, config.heads * config.head_dim]))

    def activate(self, gate: str) -> str:
        """Return the activation function of gate."""
        graph = self.graph
        if self.config.activation == "silu":
            return graph.op("Mul", gate, graph.op("Sigmoid", gate))
        cube = graph.op("Mul", graph.op("Mul", gate, gate), gate)
        inner = graph.op("Add", gate, graph.op("Mul", cube, self.context.scalar(0.044715)))
        tanh = graph.op("Tanh", graph.op("Mul", inner, self.context.scalar(math.sqrt(2 / math.pi))))
        half = graph.op("Mul", gate, self.context.scalar(0.5))
        return graph.op("Mul", half, graph.op("Add", tanh, self.context.scalar(1.0)))
