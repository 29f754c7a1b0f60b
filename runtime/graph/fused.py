"""The fused form: onnxruntime's GroupQueryAttention over one cache buffer.

Same names as the plain form but no position_ids: positions follow from the attention mask, and
past and present may be one buffer of the full context length. Runs in onnxruntime-genai as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from runtime.graph.writer import INT32, INT64

if TYPE_CHECKING:
    from runtime.graph.decoder import Context
    from runtime.rope import Rope


def _rotates_apart(rope: Rope) -> bool:
    """Whether the rotation needs its own node: GroupQueryAttention takes one table, its width a multiple of 8."""
    return rope.long is not None or len(rope.frequencies) % 8 != 0


class FusedBody:
    """Implements `runtime.graph.decoder.Body`."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.graph = context.graph
        self.config = context.config
        self._move_scale()
        self._tables: dict[int, tuple[str, str]] = {}
        self._positions: dict[int, str] = {}

    def _move_scale(self) -> None:
        """Multiply the queries by the scale of the attention once, in the weights.

        onnxruntime has a kernel for the product of one row with a matrix, used only without a factor: at
        1,500 tokens a step of SmolLM2 takes an eighth less time with it. 16-bit weights would be rounded anew.
        """
        config = self.config
        folded = not self.context.options.precision.half
        self._scale = 1.0 if folded else config.scale
        self._norm_factor = config.scale if folded and config.qk_norm else 1.0
        queries = [f"layers.{layer}.{part}" for layer in range(config.layers) for part in ("q", "q_bias")]
        in_weights = folded and not config.qk_norm
        self.weights = self.context.weights.times(config.scale, queries) if in_weights else self.context.weights

    def begin(self) -> None:
        """Declare the inputs and what all layers share."""
        graph, config = self.graph, self.config
        graph.input("attention_mask", INT64, ["batch", "total"])
        for layer in range(config.layers):
            for part in ("key", "value"):
                shape: list[int | str] = ["batch", config.kv_heads, "past", config.head_dim]
                graph.input(f"past_key_values.{layer}.{part}", self.context.float_kind, shape)
        lengths = graph.op("ReduceSum", "attention_mask", graph.constant([1]), keepdims=0)
        self._last = graph.op("Sub", lengths, graph.constant([1]))  # [batch]: index of the last token
        self._seqlens = graph.op("Cast", self._last, to=INT32)
        total = graph.op("Shape", "attention_mask", start=1, end=2)
        self._total = graph.op("Reshape", graph.op("Cast", total, to=INT32), graph.constant([], "scalar_shape"))

    def _table(self, rope: Rope) -> tuple[str, str]:
        if id(rope) not in self._tables:
            length = self.context.options.context or self.config.context
            cosine, sine = rope.table(length)
            constant = self.context.linear.float_constant
            self._tables[id(rope)] = (constant(cosine, "cos_cache"), constant(sine, "sin_cache"))
        return self._tables[id(rope)]

    def norm(self, x: str, weight: str) -> str:
        """Return the RMS normalisation of x."""
        return self.graph.op(
            "SimplifiedLayerNormalization", x, weight, axis=-1, epsilon=self.config.epsilon, stash_type=1
        )

    def add_norm(self, residual: str, x: str, weight: str) -> tuple[str, str]:
        """Return ``residual + x`` and its normalisation."""
        normed, total = self.graph.fresh("normed"), self.graph.fresh("total")
        self.graph.contrib(
            "SkipSimplifiedLayerNormalization",
            x,
            residual,
            weight,
            out=[normed, "", "", total],
            epsilon=self.config.epsilon,
        )
        return total, normed

    def attention(self, layer: int, x: str) -> str:
        """Return the attention output before its output matrix; writes the cache outputs."""
        context, config, name = self.context, self.config, f"layers.{layer}."
        parts = [self.weights[name + part] for part in "qkv"]
        bias = self.weights.bias(name + "q_bias", name + "k_bias", name + "v_bias")
        packed = context.linear.product(x, name + "qkv", parts, bias)
        rope = config.rope_of(layer)
        apart = config.qk_norm or _rotates_apart(rope)
        query, key, value = self._split(packed, layer, rope) if apart else (packed, "", "")
        return self._group_query(layer, query, key, value, rope)

    def _group_query(self, layer: int, query: str, key: str, value: str, rope: Rope) -> str:
        graph, config = self.graph, self.config
        rotate = not _rotates_apart(rope)
        tables = self._table(rope) if rotate else ("", "")
        cache = [f"past_key_values.{layer}.{part}" for part in ("key", "value")]
        outs = [graph.fresh("attended"), f"present.{layer}.key", f"present.{layer}.value"]
        shape: list[int | str] = ["batch", config.kv_heads, "present", config.head_dim]
        for out in outs[1:]:
            graph.output(out, self.context.float_kind, shape)
        inputs = [query, key, value, *cache, self._seqlens, self._total, *(tables if rotate else ())]
        extra: dict[str, float | int] = {}
        if config.attention_cap:
            extra["softcap"] = config.attention_cap
        if config.window(layer):
            extra["local_window_size"] = config.window(layer)
        return graph.contrib(
            "GroupQueryAttention",
            *inputs,
            out=outs,
            num_heads=config.heads,
            kv_num_heads=config.kv_heads,
            scale=self._scale,
            do_rotary=int(rotate),
            rotary_interleaved=0,
            **extra,
        )

    def _split(self, packed: str, layer: int, rope: Rope) -> tuple[str, str, str]:
        """Take Q, K and V apart where they need work the fused operator does not do."""
        graph, config = self.graph, self.config
        heads = (config.heads, config.kv_heads)
        sizes = [config.heads * config.head_dim, *[config.kv_heads * config.head_dim] * 2]
        names = [graph.fresh(part) for part in ("query", "key", "value")]
        graph.op("Split", packed, graph.constant(sizes), out=names, axis=-1)
        for i, part in enumerate("qk"):
            if config.qk_norm:
                factor = self._norm_factor if part == "q" else 1.0
                names[i] = self._norm_heads(names[i], f"layers.{layer}.{part}_norm", heads[i], factor)
            if _rotates_apart(rope):
                names[i] = self._rotate(names[i], heads[i], rope)
        return names[0], names[1], names[2]

    def _norm_heads(self, x: str, name: str, heads: int, factor: float) -> str:
        graph, size = self.graph, self.config.head_dim
        split = graph.op("Reshape", x, graph.constant([0, 0, heads, size]))
        normed = self.norm(split, self.context.norm_weight(name, factor))
        return graph.op("Reshape", normed, graph.constant([0, 0, heads * size]))

    def _rotate(self, x: str, heads: int, rope: Rope) -> str:
        """Rotate by the short table, or by the long one below it once the sequence is longer than the switch."""
        partial = rope.dim if rope.dim < self.config.head_dim else 0
        return self.graph.contrib(
            "RotaryEmbedding",
            x,
            self._positions_of(rope),
            *self._table(rope),
            interleaved=0,
            num_heads=heads,
            rotary_embedding_dim=partial,
        )

    def _positions_of(self, rope: Rope) -> str:
        """Rows of the joined table, [batch, tokens]."""
        if id(rope) not in self._positions:
            graph = self.graph
            length = self.context.options.context or self.config.context
            scalar = graph.constant([], "scalar_shape")
            tokens = graph.op("Reshape", graph.op("Shape", "input_ids", start=1, end=2), scalar)
            steps = graph.op("Range", graph.constant(np.array(0)), tokens, graph.constant(np.array(1)))
            back = graph.op("Sub", steps, graph.op("Sub", tokens, graph.constant(np.array(1))))
            positions = graph.op("Add", graph.op("Unsqueeze", self._last, graph.constant([1])), back)
            if rope.long is not None:
                longest = graph.op("ReduceMax", self._last, keepdims=0)
                longer = graph.op("GreaterOrEqual", longest, graph.constant(np.array(rope.switch)))
                skip = graph.op("Where", longer, graph.constant(np.array(length)), graph.constant(np.array(0)))
                positions = graph.op("Add", positions, skip)
            self._positions[id(rope)] = positions
        return self._positions[id(rope)]

    def activate(self, gate: str) -> str:
        """Return the activation function of gate."""
        if self.config.activation == "silu":
            return self.graph.contrib("QuickGelu", gate, alpha=1.0)
        return self.graph.contrib("FastGelu", gate)
