"""Weights -> one decoder graph, in the plain (Optimum) or the fused form.

The skeleton here is the same for every family and form; `plain` and `fused` supply rotary
embedding, attention, normalisation and activation. Names of inputs and outputs are those of
Hugging Face Optimum, which onnxruntime-genai shares.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from runtime.errors import UnsupportedError
from runtime.graph.linear import LinearWriter, Precision, Stored, store
from runtime.graph.writer import FLOAT, FLOAT16, INT64, GraphWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.weights import Weights

FORMS = ("fused", "plain")
LOGITS = ("keep", "last", "all")


@dataclass(frozen=True, slots=True)
class GraphOptions:
    """What to build.

    Args:
        form: ``fused`` (GroupQueryAttention, shared cache buffer) or ``plain`` (standard operators only).
        precision: how weights and activations are stored.
        context: longest sequence of the fused form, whose rotary tables have this many rows; 0 = the model's.
        logits: ``keep`` (an input `num_logits_to_keep` says how many; 0 = all), ``last`` or ``all``.
    """

    form: str = "fused"
    precision: Precision = field(default_factory=Precision)
    context: int = 0
    logits: str = "keep"

    def __post_init__(self) -> None:
        """Refuse unknown words and lengths."""
        for name, known in (("form", FORMS), ("logits", LOGITS)):
            if getattr(self, name) not in known:
                raise UnsupportedError(f"{name} must be one of {', '.join(known)} (got {getattr(self, name)!r})")
        if self.context < 0:
            raise UnsupportedError(f"context must be positive, or 0 for the model's (got {self.context})")


class Body(Protocol):
    """What a form supplies to the skeleton."""

    def begin(self) -> None:
        """Declare the inputs and whatever all layers share."""

    def norm(self, x: str, weight: str) -> str:
        """Return the RMS normalisation of x."""

    def add_norm(self, residual: str, x: str, weight: str) -> tuple[str, str]:
        """Return ``residual + x`` and its normalisation."""

    def attention(self, layer: int, x: str) -> str:
        """Return the attention output before its output matrix; writes the cache outputs."""

    def activate(self, gate: str) -> str:
        """Return the activation function of gate."""


class Context:
    """Everything a body works with."""

    def __init__(self, graph: GraphWriter, weights: Weights, options: GraphOptions) -> None:
        self.graph = graph
        self.weights = weights
        self.config = weights.config
        self.options = options
        self.linear = LinearWriter(graph, options.precision)
        self.float_kind = FLOAT16 if options.precision.half else FLOAT

    def norm_weight(self, name: str, factor: float = 1) -> str:
        """Add the factors of a normalisation, times a number."""
        return self.linear.float_constant(self.weights.norm(name) * np.float32(factor), name)

    def scalar(self, value: float) -> str:
        """Add a number in the type of the activations."""
        return self.linear.float_constant(np.float32(value).reshape(()), "scalar")


def build(
    graph: GraphWriter, weights: Weights, options: GraphOptions, progress: Callable[[int, int], None] | None = None
) -> None:
    """Add a whole decoder to a graph.

    Args:
        graph: an empty graph.
        weights: the model.
        options: form and precision.
        progress: called with (layers done, layers).
    """
    from runtime.graph.fused import FusedBody
    from runtime.graph.plain import PlainBody

    context = Context(graph, weights, options)
    body: Body = FusedBody(context) if options.form == "fused" else PlainBody(context)
    graph.input("input_ids", INT64, ["batch", "tokens"])
    body.begin()
    keep = graph.input("num_logits_to_keep", INT64, []) if options.logits == "keep" else ""
    x, head = _embedding(context)
    config = context.config
    h = body.norm(x, context.norm_weight("layers.0.attn_norm"))
    for layer in range(config.layers):
        name = f"layers.{layer}."
        attended = context.linear.product(
            body.attention(layer, h), name + "o", [weights[name + "o"]], weights.bias(name + "o_bias")
        )
        x, h = _add(context, body, x, attended, post=name + "post_attn_norm", following=name + "ffn_norm")
        following = f"layers.{layer + 1}.attn_norm" if layer + 1 < config.layers else "norm"
        x, h = _add(
            context, body, x, _feed_forward(context, body, name, h), post=name + "post_ffn_norm", following=following
        )
        if progress is not None:
            progress(layer + 1, config.layers)
    _logits(context, _select(context, h, keep), head)


def _add(context: Context, body: Body, residual: str, x: str, *, post: str, following: str) -> tuple[str, str]:
    """Close a block: post-norm and residual factor where the family has them, then the sum."""
    if context.config.post_norms:
        x = body.norm(x, context.norm_weight(post))
    if context.config.residual_scale != 1:
        x = context.graph.op("Mul", x, context.scalar(context.config.residual_scale))
    return body.add_norm(residual, x, context.norm_weight(following))


def _feed_forward(context: Context, body: Body, name: str, h: str) -> str:
    weights = context.weights
    gate, up = (context.linear.product(h, name + part, [weights[name + part]]) for part in ("gate", "up"))
    return context.linear.product(
        context.graph.op("Mul", body.activate(gate), up), name + "down", [weights[name + "down"]]
    )


def _embedding(context: Context) -> tuple[str, Stored | str | None]:
    """Look ids up; return the vectors and, for a tied model, the matrix as the head can use it."""
    graph, weights, precision = context.graph, context.weights, context.options.precision
    kind = precision.head or precision.weights
    table = weights["embed"]
    blocked = kind in ("int8", "int4") or (kind == "exact" and table.is_quantized)
    matrix: Stored | str
    if blocked and table.columns % 32 == 0:
        matrix = store(context.linear, "embed", [table], "int8" if kind == "int4" else kind, rows_too=True)
        x = _gather_blocks(context, matrix)
    else:
        rows = (chunk.astype(precision.dtype) for chunk in table.float32_chunks())
        matrix = graph.stream("embed", precision.dtype, table.shape, rows)
        x = graph.op("Gather", matrix, "input_ids")
    if context.config.embedding_scale != 1:
        x = graph.op("Mul", x, context.scalar(context.config.embedding_scale))
    return x, matrix if context.config.tied else None


def _gather_blocks(context: Context, matrix: Stored) -> str:
    """Rows of a blocked matrix as floats, with standard operators, which check the ids.

    onnxruntime's GatherBlockQuantized would be one node but reads outside the table when an id is
    too large, and does not exist in 1.18.
    """
    graph, dtype = context.graph, context.float_kind
    blocks = matrix.columns // matrix.block
    scales = graph.op("Reshape", matrix.scale, graph.constant([matrix.rows, blocks, 1]))
    codes = _gather_codes(context, matrix)
    centred = graph.op("Sub", graph.op("Cast", codes, to=dtype), context.scalar(8 if matrix.bits == 4 else 128))
    values = graph.op("Mul", centred, graph.op("Gather", scales, "input_ids"))
    if matrix.offset:
        columns = graph.op("Gather", matrix.offset, "input_ids", axis=1)  # [blocks, batch, tokens]
        moved = graph.op("Unsqueeze", graph.op("Transpose", columns, perm=[1, 2, 0]), graph.constant([-1]))
        values = graph.op("Add", values, graph.op("Div", moved, context.scalar(matrix.block)))
    return graph.op("Reshape", values, graph.constant([0, 0, matrix.columns]))


def _gather_codes(context: Context, matrix: Stored) -> str:
    """Rows of codes as bytes, [batch, tokens, blocks, block]."""
    graph = context.graph
    codes = graph.op("Gather", matrix.codes, "input_ids")
    if matrix.low:
        high = _unpacked(context, codes, matrix)
        low = _unpacked(context, graph.op("Gather", matrix.low, "input_ids"), matrix)
        return graph.op("BitwiseOr", graph.op("BitShift", high, _byte(context, 4), direction="LEFT"), low)
    return _unpacked(context, codes, matrix) if matrix.bits == 4 else codes


def _unpacked(context: Context, codes: str, matrix: Stored) -> str:
    """Half bytes as bytes."""
    graph = context.graph
    low = graph.op("BitwiseAnd", codes, _byte(context, 15))
    high = graph.op("BitShift", codes, _byte(context, 4), direction="RIGHT")
    pair = [graph.op("Unsqueeze", half, graph.constant([-1])) for half in (low, high)]
    shape = graph.constant([0, 0, matrix.columns // matrix.block, matrix.block])
    return graph.op("Reshape", graph.op("Concat", *pair, axis=-1), shape)


def _byte(context: Context, value: int) -> str:
    return context.graph.constant(np.array(value, dtype=np.uint8))


def _select(context: Context, h: str, keep: str) -> str:
    """Keep the positions whose logits are wanted."""
    graph, logits = context.graph, context.options.logits
    if logits == "all":
        return h
    starts = graph.constant([-1])
    if logits == "keep":
        starts = graph.op("Reshape", graph.op("Neg", keep), graph.constant([1]))  # 0 starts at the beginning
    return graph.op("Slice", h, starts, graph.constant([np.iinfo(np.int64).max]), graph.constant([1]))


def _logits(context: Context, h: str, head: Stored | str | None) -> None:
    graph, config, precision = context.graph, context.config, context.options.precision
    if isinstance(head, Stored):
        y = context.linear.blocked(h, head)
    elif isinstance(head, str):
        flat = graph.op("Reshape", h, graph.constant([-1, config.hidden]))
        sizes = graph.op("Concat", graph.op("Shape", h, end=2), graph.constant([config.vocab_size]), axis=0)
        y = graph.op("Reshape", graph.op("Gemm", flat, head, transB=1), sizes)
    else:
        y = _own_head(context, h)
    if config.logit_scale != 1:
        y = graph.op("Mul", y, context.scalar(config.logit_scale))
    if config.logit_cap:
        cap = context.scalar(config.logit_cap)
        y = graph.op("Mul", graph.op("Tanh", graph.op("Div", y, cap)), cap)
    if precision.half:
        graph.op("Cast", y, out="logits", to=FLOAT)
    else:
        graph.op("Identity", y, out="logits")
    kept: int | str = 1 if context.options.logits == "last" else "kept"
    graph.output("logits", FLOAT, ["batch", kept, config.vocab_size])


def _own_head(context: Context, h: str) -> str:
    """Multiply by an output matrix that is not the embedding; int4 keeps it at 8 bits, where it matters most."""
    precision = context.options.precision
    kind = precision.head or ("int8" if precision.weights == "int4" else precision.weights)
    head = context.weights["head"]
    if kind in ("int8", "int4") or (kind == "exact" and head.is_quantized):
        return context.linear.blocked(h, store(context.linear, "head", [head], kind))
    return context.linear.product(h, "head", [head])
