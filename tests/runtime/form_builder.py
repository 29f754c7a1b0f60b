"""Builds the graph forms of the field from one tiny model: what the scripts of their time exported.

Shapes, types, names and order of inputs and outputs follow docs/runtime/signatures.md; the mathematics
is that of a small llama. Caches of 16 bits, baked masks and rotary tables included.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from runtime.export import export
from runtime.graph.decoder import GraphOptions
from runtime.graph.writer import BOOL, FLOAT, FLOAT16, INT8, INT32, INT64, GraphWriter

LONGEST = 48


class Layers:
    """Emits a llama over [tokens, hidden] vectors; the form supplies cache and positions."""

    def __init__(self, graph, weights):
        self.graph, self.weights, self.config = graph, weights, weights.config
        cosine, sine = self.config.rope.table(LONGEST)
        self.tables = [graph.constant(np.concatenate([t, t], axis=-1)) for t in (cosine, sine)]

    def vector(self, *values):
        return self.graph.constant(list(values))

    def matrix(self, name):
        return self.graph.constant(np.ascontiguousarray(self.weights[name].float32().T), name)

    def slice(self, x, start, end, axis=0):
        return self.graph.op("Slice", x, start, end, self.vector(axis))

    def begin(self, past, total):
        """Rotary rows of the positions past..total, both int64 [1]."""
        self.rows = [self.slice(table, past, total) for table in self.tables]

    def embed(self, ids):
        """ids of any integer type, [tokens]."""
        return self.graph.op("Gather", self.graph.constant(self.weights["embed"].float32(), "embed"), ids)

    def norm(self, x, name):
        g = self.graph
        mean = g.op("ReduceMean", g.op("Mul", x, x), self.vector(-1), keepdims=1)
        epsilon = g.constant(np.array(self.config.epsilon, np.float32))
        y = g.op("Div", x, g.op("Sqrt", g.op("Add", mean, epsilon)))
        return g.op("Mul", y, g.constant(self.weights.norm(name)))

    def heads(self, x, layer, part, count):
        """[count, tokens, head dim]."""
        g = self.graph
        y = g.op("MatMul", x, self.matrix(f"layers.{layer}.{part}"))
        y = g.op("Reshape", y, self.vector(-1, count, self.config.head_dim))
        return g.op("Transpose", y, perm=[1, 0, 2])

    def rotate(self, x):
        g, half = self.graph, self.config.head_dim // 2
        first, second = g.fresh("first"), g.fresh("second")
        g.op("Split", x, self.vector(half, half), out=[first, second], axis=-1)
        swapped = g.op("Concat", g.op("Neg", second), first, axis=-1)
        return g.op("Add", g.op("Mul", x, self.rows[0]), g.op("Mul", swapped, self.rows[1]))

    def attend(self, query, key, value, mask):
        """Full attention; key and value [kv heads, total, head dim], mask [tokens, total] to add."""
        g, c = self.graph, self.config
        query = g.op("Reshape", query, self.vector(c.kv_heads, c.heads // c.kv_heads, -1, c.head_dim))
        key, value = (g.op("Unsqueeze", part, self.vector(1)) for part in (key, value))
        scores = g.op("MatMul", query, g.op("Transpose", key, perm=[0, 1, 3, 2]))
        scores = g.op("Mul", scores, g.constant(np.array(c.scale, np.float32)))
        y = g.op("MatMul", g.op("Softmax", g.op("Add", scores, mask), axis=-1), value)
        y = g.op("Reshape", y, self.vector(c.heads, -1, c.head_dim))
        return g.op("Reshape", g.op("Transpose", y, perm=[1, 0, 2]), self.vector(-1, c.heads * c.head_dim))

    def layer(self, x, layer, cache, mask):
        """One layer; `cache(layer, key, value)` stores the new and returns all of both."""
        g, name = self.graph, f"layers.{layer}."
        h = self.norm(x, name + "attn_norm")
        query = self.rotate(self.heads(h, layer, "q", self.config.heads))
        key = self.rotate(self.heads(h, layer, "k", self.config.kv_heads))
        key, value = cache(layer, key, self.heads(h, layer, "v", self.config.kv_heads))
        x = g.op("Add", x, g.op("MatMul", self.attend(query, key, value, mask), self.matrix(name + "o")))
        h = self.norm(x, name + "ffn_norm")
        gate, up = (g.op("MatMul", h, self.matrix(name + part)) for part in ("gate", "up"))
        gated = g.op("Mul", g.op("Mul", gate, g.op("Sigmoid", gate)), up)
        return g.op("Add", x, g.op("MatMul", gated, self.matrix(name + "down")))

    def last_logits(self, x):
        """Logits of the last row, [1, vocab]."""
        g = self.graph
        last = self.slice(self.norm(x, "norm"), self.vector(-1), self.vector(np.iinfo(np.int64).max))
        head = np.ascontiguousarray(self.weights.head().float32().T)
        return g.op("MatMul", last, g.constant(head, "head"))

    def argmax(self, logits, out, shape):
        """Write the chosen id as int32 of the given shape."""
        g = self.graph
        chosen = g.op("Cast", g.op("ArgMax", logits, axis=-1, keepdims=1), to=INT32)
        g.op("Reshape", chosen, self.vector(*shape), out=out)
        g.output(out, INT32, shape)


def baked_mask(layers, tokens, total, factor, low=0.0):
    """The mask of forms A and B: a baked upper triangle, cut from its first row, times a factor fed."""
    g = layers.graph
    triangle = np.triu(np.ones((LONGEST, LONGEST), np.float32), 1)
    cut = layers.slice(layers.slice(g.constant(triangle), layers.vector(0), tokens), layers.vector(0), total, 1)
    return g.op("Mul", cut, factor)


# ------------------------------------------------------------------ form A


class StaticStage:
    """Caches [layers, kv heads, LONGEST, head dim] of one file of form A."""

    def __init__(self, layers, first, count):
        self.layers, self.first, self.count = layers, first, count
        g, c = layers.graph, layers.config
        self.shape = [count, c.kv_heads, LONGEST, c.head_dim]
        for part in ("key", "values"):  # torch renames inputs that are named like an output
            g.input(f"past_{part}_states.1", FLOAT16, self.shape)
        self.news = {"key": [], "values": []}

    def lengths(self):
        g = self.layers.graph
        g.input("history_len", INT64, [1])
        g.input("ids_len", INT64, [1])
        self.total = g.op("Add", "history_len", "ids_len")
        self.layers.begin("history_len", self.total)
        self.mask = baked_mask(self.layers, "ids_len", self.total, "attention_mask")

    def cache(self, layer, key, value):
        g, layers = self.layers.graph, self.layers
        both = []
        for part, new in (("key", key), ("values", value)):
            stored = g.op("Gather", f"past_{part}_states.1", g.constant(np.array(layer - self.first)), axis=0)
            old = layers.slice(stored, layers.vector(0), "history_len", 1)
            joined = g.op("Concat", old, g.op("Cast", new, to=FLOAT16), axis=1)
            self.news[part].append(joined)
            both.append(g.op("Cast", joined, to=FLOAT))
        return both

    def finish(self):
        g, layers = self.layers.graph, self.layers
        zeros = g.constant(np.zeros(self.shape, np.float16))
        rest = g.op("Sub", layers.vector(LONGEST), self.total)
        padding = layers.slice(zeros, layers.vector(0), rest, 2)
        for part, news in self.news.items():
            stacked = g.op("Concat", *[g.op("Unsqueeze", new, layers.vector(0)) for new in news], axis=0)
            g.op("Concat", stacked, padding, out=f"past_{part}_states", axis=2)
            g.output(f"past_{part}_states", FLOAT16, self.shape)


def static_ids(layers):
    g = layers.graph
    g.input("input_ids", INT32, [LONGEST])
    return layers.slice("input_ids", layers.vector(0), "ids_len")


def static_single(folder, weights):
    """One graph, March 2025."""
    with GraphWriter(folder / "model_f16.onnx", opset=18) as g:
        layers = Layers(g, weights)
        ids = static_ids(layers)
        g.input("attention_mask", FLOAT, [1])
        stage = StaticStage(layers, 0, weights.config.layers)
        stage.lengths()
        x = layers.embed(ids)
        for layer in range(weights.config.layers):
            x = layers.layer(x, layer, stage.cache, stage.mask)
        layers.argmax(layers.last_logits(x), "max_logit_id", [])
        stage.finish()
        g.finish("static", {})


def static_split(folder, weights):
    """Two graphs, layers cut in half; the hidden state between them has 16 bits."""
    half, count = weights.config.layers // 2, weights.config.layers
    hidden = [f"hidden{i}" for i in range(2)]
    with GraphWriter(folder / "part_A.onnx") as g:
        layers = Layers(g, weights)
        ids = static_ids(layers)
        g.input("attention_mask", FLOAT, [1])
        stage = StaticStage(layers, 0, half)
        stage.lengths()
        x = layers.embed(ids)
        for layer in range(half):
            x = layers.layer(x, layer, stage.cache, stage.mask)
        g.op("Cast", x, out="last_hidden_state", to=FLOAT16)
        g.output("last_hidden_state", FLOAT16, ["tokens", weights.config.hidden])
        stage.finish()
        g.finish(hidden[0], {})
    with GraphWriter(folder / "part_B.onnx") as g:
        layers = Layers(g, weights)
        g.input("last_hidden_state", FLOAT16, ["tokens", weights.config.hidden])
        g.input("attention_mask", FLOAT, [1])
        stage = StaticStage(layers, half, count - half)
        stage.lengths()
        x = g.op("Cast", "last_hidden_state", to=FLOAT)
        for layer in range(half, count):
            x = layers.layer(x, layer, stage.cache, stage.mask)
        layers.argmax(layers.last_logits(x), "max_logit_id", [])
        stage.finish()
        g.finish(hidden[1], {})


def static_gemma(folder, weights):
    """Three graphs as the Gemma export had: embedding, body, head."""
    width = weights.config.hidden
    with GraphWriter(folder / "Gemma_A.onnx") as g:
        layers = Layers(g, weights)
        ids = static_ids(layers)
        g.input("ids_len", INT64, [1])
        g.op("Cast", layers.embed(ids), out="hidden_state", to=FLOAT16)
        g.output("hidden_state", FLOAT16, ["tokens", width])
        g.finish("a", {})
    with GraphWriter(folder / "Gemma_B.onnx") as g:
        layers = Layers(g, weights)
        g.input("hidden_state", FLOAT16, ["tokens", width])
        g.input("attention_mask", FLOAT, [1])
        stage = StaticStage(layers, 0, weights.config.layers)
        stage.lengths()
        x = g.op("Cast", "hidden_state", to=FLOAT)
        for layer in range(weights.config.layers):
            x = layers.layer(x, layer, stage.cache, stage.mask)
        last = layers.slice(x, layers.vector(-1), layers.vector(np.iinfo(np.int64).max))
        g.op("Reshape", last, layers.vector(width), out="last_hidden_state")
        g.output("last_hidden_state", FLOAT, [width])
        stage.finish()
        g.finish("b", {})
    with GraphWriter(folder / "Gemma_C.onnx") as g:
        layers = Layers(g, weights)
        g.input("last_hidden_state", FLOAT, [width])
        row = g.op("Reshape", "last_hidden_state", layers.vector(1, width))
        layers.argmax(layers.last_logits(row), "max_logit_ids", [])
        g.finish("c", {})


# ------------------------------------------------------------------ form B


def dynamic_march(folder, weights):
    """B1: caches [kv heads, past, head dim] of 16 bits, the chosen id first."""
    c = weights.config
    with GraphWriter(folder / "model.onnx") as g:
        layers = Layers(g, weights)
        for part in ("key", "value"):
            for layer in range(c.layers):
                g.input(f"in_{part}_{layer}", FLOAT16, [c.kv_heads, "history_len", c.head_dim])
        g.input("attention_mask", FLOAT, [1])
        g.input("input_ids", INT32, [1, "ids_len"])
        tokens, past = g.op("Shape", "input_ids", start=1), g.op("Shape", "in_key_0", start=1, end=2)
        total = g.op("Add", past, tokens)
        layers.begin(past, total)
        mask = baked_mask(layers, tokens, total, "attention_mask")
        x = layers.embed(g.op("Reshape", "input_ids", layers.vector(-1)))
        outs = []

        def cache(layer, key, value):
            both = []
            for part, new in (("key", key), ("value", value)):
                out = f"out_{part}_{layer}"
                half = g.op("Cast", new, to=FLOAT16)
                outs.append((part, out))
                both.append(g.op("Cast", g.op("Concat", f"in_{part}_{layer}", half, out=out, axis=1), to=FLOAT))
            return both

        for layer in range(c.layers):
            x = layers.layer(x, layer, cache, mask)
        layers.argmax(layers.last_logits(x), "max_logit_id", [1])
        for _, out in sorted(outs):
            g.output(out, FLOAT16, [c.kv_heads, "total", c.head_dim])
        g.finish("b1", {})


def dynamic(folder, weights, kind=FLOAT):
    """B2: transposed keys, five axes less the batch, lengths and an int8 mask fed."""
    c = weights.config
    with GraphWriter(folder / "model.onnx") as g:
        layers = Layers(g, weights)
        shapes = {
            "key": [c.kv_heads, 1, c.head_dim, "history_len"],
            "value": [c.kv_heads, 1, "history_len", c.head_dim],
        }
        for part, shape in shapes.items():
            for layer in range(c.layers):
                g.input(f"in_{part}_{layer}", kind, shape)
        g.input("input_ids", INT32, [1, "ids_len"])
        for name in ("history_len", "ids_len"):
            g.input(name, INT64, [1])
        g.input("attention_mask", INT8, [1])
        total = g.op("Add", "history_len", "ids_len", out="kv_seq_len")
        layers.begin("history_len", total)
        factor = g.op("Mul", g.op("Cast", "attention_mask", to=FLOAT), g.constant(np.array(-128.0, np.float32)))
        mask = baked_mask(layers, "ids_len", total, factor)
        x = layers.embed(g.op("Reshape", "input_ids", layers.vector(-1)))

        def cache(layer, key, value):
            new_key = g.op("Unsqueeze", g.op("Transpose", key, perm=[0, 2, 1]), layers.vector(1))
            new_value = g.op("Unsqueeze", value, layers.vector(1))
            both = []
            for part, new, axis in (("key", new_key, 3), ("value", new_value, 2)):
                out = f"out_{part}_{layer}"
                joined = g.op("Concat", f"in_{part}_{layer}", g.op("Cast", new, to=kind), out=out, axis=axis)
                both.append(g.op("Squeeze", g.op("Cast", joined, to=FLOAT), layers.vector(1)))
            return g.op("Transpose", both[0], perm=[0, 2, 1]), both[1]

        for layer in range(c.layers):
            x = layers.layer(x, layer, cache, mask)
        for part, shape in shapes.items():
            for layer in range(c.layers):
                g.output(f"out_{part}_{layer}", kind, ["total" if size == "history_len" else size for size in shape])
        layers.argmax(layers.last_logits(x), "max_logit_id", [1, 1])
        g.output("kv_seq_len", INT64, [1])
        g.finish("b2", {})


class MergedCaches:
    """Caches of B3: [1, kv heads, 1, head dim, past] and so on, floats or int8 with scales."""

    def __init__(self, layers, quantized):
        self.layers, self.quantized = layers, quantized
        g, c = layers.graph, layers.config
        kind = INT8 if quantized else FLOAT
        self.ports = {
            "key": (kind, [1, c.kv_heads, 1, c.head_dim, "past"]),
            "value": (kind, [1, c.kv_heads, 1, "past", c.head_dim]),
        }
        if quantized:
            self.ports["key_scale"] = (FLOAT16, [1, c.kv_heads, 1, 1, "past"])
            self.ports["value_scale"] = (FLOAT16, [1, c.kv_heads, 1, "past", 1])
        for name, (port_kind, shape) in self.ports.items():
            for layer in range(c.layers):
                g.input(f"in_{name}_{layer}", port_kind, shape)

    def outputs(self):
        for name, (kind, shape) in self.ports.items():
            for layer in range(self.layers.config.layers):
                renamed = ["total" if size == "past" else size for size in shape]
                self.layers.graph.output(f"out_{name}_{layer}", kind, renamed)

    def join(self, name, layer, new, axis):
        return self.layers.graph.op("Concat", f"in_{name}_{layer}", new, out=f"out_{name}_{layer}", axis=axis)

    def store(self, part, layer, new, axis):
        """Append; return all of it as floats."""
        g = self.layers.graph
        if not self.quantized:
            return self.join(part, layer, new, axis)
        largest = g.op("ReduceMax", g.op("Abs", new), self.layers.vector(7 - axis), keepdims=1)
        scale = g.op("Cast", g.op("Div", largest, g.constant(np.array(127, np.float32))), to=FLOAT16)
        wide = g.op("Cast", scale, to=FLOAT)
        codes = g.op("Cast", g.op("Round", g.op("Div", new, wide)), to=INT8)
        codes, scale = self.join(part, layer, codes, axis), self.join(part + "_scale", layer, scale, axis)
        return g.op("Mul", g.op("Cast", codes, to=FLOAT), g.op("Cast", scale, to=FLOAT))

    def cache(self, layer, key, value):
        g, layers = self.layers.graph, self.layers
        extra = layers.vector(0, 2)
        new_key = g.op("Unsqueeze", g.op("Transpose", key, perm=[0, 2, 1]), extra)
        key = self.store("key", layer, new_key, 4)
        value = self.store("value", layer, g.op("Unsqueeze", value, extra), 3)
        key, value = (g.op("Squeeze", part, extra) for part in (key, value))
        return g.op("Transpose", key, perm=[0, 2, 1]), value


def merged(folder, weights, strategy="Greedy", quantized=False, suffix=""):
    """B3: prefill and decode graph with a strategy; the mask is computed, not baked."""
    properties = {
        "native_llm_metadata_version": "1",
        "vocab_size": str(weights.config.vocab_size),
        "max_seq_len": str(LONGEST),
        "stop_token_ids": "2,1",
    }
    for role in ("TextPrefill", "Decode"):
        with GraphWriter(folder / f"LLM_{role}{strategy}.onnx", opset=20) as g:
            layers = Layers(g, weights)
            caches = MergedCaches(layers, quantized)
            prefill = role != "Decode"
            if prefill:
                g.input("input_ids", INT32, [1, "ids_len"])
                for name in ("ids_len", "history_len", "cache_len"):
                    g.input("prefill_" + name, INT64, [1])
                past, total = "prefill_history_len", g.op("Add", "prefill_history_len", "prefill_ids_len")
                total = g.op("Add", total, g.op("Sub", "prefill_cache_len", "prefill_history_len"))
            else:
                past = g.input("decode_kv_seq_len" + suffix, INT64, [1])
                g.input("input_ids", INT32, [1, 1])
                total = g.op("Add", past, layers.vector(1))
            layers.begin(past, total)
            scalar = g.constant([], "scalar_shape")
            ends = [g.op("Reshape", value, scalar) for value in (past, total)]
            zero, one = g.constant(np.array(0)), g.constant(np.array(1))
            queries = g.op("Unsqueeze", g.op("Range", ends[0], ends[1], one), layers.vector(1))
            seen = g.op("LessOrEqual", g.op("Range", zero, ends[1], one), queries)
            low, none = (g.constant(np.array(value, np.float32)) for value in (-1e9, 0))
            mask = g.op("Where", seen, none, low)
            x = layers.embed(g.op("Reshape", "input_ids", layers.vector(-1)))
            for layer in range(weights.config.layers):
                x = layers.layer(x, layer, caches.cache, mask)
            caches.outputs()
            _strategy(layers, layers.last_logits(x), strategy, prefill)
            g.op("Identity", total, out="kv_seq_len")
            g.output("kv_seq_len", INT64, [1])
            g.finish("b3", properties)


def _strategy(layers, logits, strategy, prefill):
    """Choose the next id inside the graph, with the inputs each strategy has."""
    g = layers.graph
    if strategy == "Greedy":
        layers.argmax(logits, "greedy_max_logits_idx", [1, 1])
        return
    if strategy == "PenaltyGreedy":
        saved = g.input("penalty_greedy_save_id_in", INT32, [1, "saved"])
        if not prefill:
            g.input("penalty_penalty_value", FLOAT, [1])
            g.input("penalty_penalty_range", INT64, [1])
            start = g.op("Neg", "penalty_penalty_range")
            recent = layers.slice(saved, start, layers.vector(np.iinfo(np.int64).max), 1)
            recent = g.op("Cast", recent, to=INT64)
            factor = g.op("Mul", g.op("GatherElements", logits, recent, axis=1), "penalty_penalty_value")
            logits = g.op("ScatterElements", logits, recent, factor, axis=1)
        chosen = "penalty_greedy_max_logits_idx"
        layers.argmax(logits, chosen, [1, 1])
        g.op("Concat", saved, chosen, out="penalty_greedy_save_id_out", axis=1)
        g.output("penalty_greedy_save_id_out", INT32, [1, "saved_now"])
        return
    for name, kind in (("temperature", FLOAT), ("top_k", INT32), ("top_p", FLOAT), ("repetition_penalty", FLOAT)):
        g.input("sampling_" + name, kind, [1])
    previous = g.input("sampling_previous_ids", INT32, [1, "saved"])
    scaled = g.op("Div", logits, g.op("Mul", "sampling_temperature", "sampling_repetition_penalty"))
    kept = g.op("Cast", "sampling_top_k", to=INT64)
    values, places = g.fresh("values"), g.fresh("places")
    g.op("TopK", scaled, kept, out=[values, places], axis=-1)
    best = g.op("ArgMax", g.op("Mul", values, "sampling_top_p"), axis=-1, keepdims=1)
    chosen = g.op("Cast", g.op("GatherElements", places, best, axis=1), out="sampling_sampled_id", to=INT32)
    g.output(chosen, INT32, [1, 1])
    g.op("Concat", previous, chosen, out="sampling_save_id_out", axis=1)
    g.output("sampling_save_id_out", INT32, [1, "saved_now"])


def share_initializers(folder):
    """Move large weights of both graphs into LLM_SharedInitializers.onnx, to be lent by the runtime."""
    moved = {}
    for path in sorted(folder.glob("LLM_*.onnx")):
        model = onnx.load(path)
        for tensor in model.graph.initializer:
            if len(tensor.raw_data) > 4096:
                moved[tensor.name] = onnx.numpy_helper.to_array(tensor)
                tensor.ClearField("raw_data")
                tensor.data_location = onnx.TensorProto.EXTERNAL
                # The right file but the wrong place in it: only lending the tensors makes the graphs right.
                tensor.external_data.add(key="location", value="LLM_SharedInitializers.onnx.data")
        (folder / (path.name + ".data")).unlink(missing_ok=True)
        onnx.save(model, path)
    with GraphWriter(folder / "LLM_SharedInitializers.onnx") as g:
        for name, array in moved.items():
            g.stream(name, array.dtype, array.shape, [array])
        g.finish("shared", {})


# ------------------------------------------------------------------ forms C and D


def optimum(folder, source, logits="keep"):
    """The plain export: position_ids and, by choice, num_logits_to_keep."""
    export(source, folder, GraphOptions(form="plain", logits=logits))


def optimum_without_positions(folder, source):
    """As GPT-2 and the first Llama exports: positions follow from the length of the past."""
    optimum(folder, source, "all")
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    _drop_input(model, "position_ids")
    nodes = [
        helper.make_node("Shape", ["attention_mask"], ["p_total"], start=1, end=2),
        helper.make_node("Shape", ["input_ids"], ["p_tokens"], start=1, end=2),
        helper.make_node("Sub", ["p_total", "p_tokens"], ["p_past"]),
        helper.make_node("Constant", [], ["p_zero"], value_ints=[0]),
        helper.make_node("Constant", [], ["p_unit"], value_int=1),
        helper.make_node("Squeeze", ["p_past", "p_zero"], ["p_start"]),
        helper.make_node("Squeeze", ["p_total", "p_zero"], ["p_end"]),
        helper.make_node("Range", ["p_start", "p_end", "p_unit"], ["p_row"]),
        helper.make_node("Unsqueeze", ["p_row", "p_zero"], ["position_ids"]),
    ]
    _prepend(model, nodes)
    onnx.save(model, folder / "model.onnx")


def optimum_merged(folder, source):
    """As Optimum before 1.14: use_cache_branch, and a past that is ignored when it is false."""
    optimum(folder, source, "all")
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    nodes = [
        helper.make_node("Constant", [], ["m_zero"], value_ints=[0]),
        helper.make_node("Constant", [], ["m_two"], value_ints=[2]),
        helper.make_node("Constant", [], ["m_many"], value_ints=[1 << 40]),
        helper.make_node("Cast", ["use_cache_branch"], ["m_flag"], to=INT64),
        helper.make_node("Mul", ["m_flag", "m_many"], ["m_end"]),
    ]
    nodes += [
        helper.make_node("Slice", [port.name, "m_zero", "m_end", "m_two"], [port.name + "_used"])
        for port in model.graph.input
        if port.name.startswith("past_key_values")
    ]
    for node in model.graph.node:
        for i, name in enumerate(node.input):
            if name.startswith("past_key_values"):
                node.input[i] = name + "_used"
    model.graph.input.append(helper.make_tensor_value_info("use_cache_branch", BOOL, [1]))
    _prepend(model, nodes)
    onnx.save(model, folder / "model.onnx")


def optimum_embeds(folder, source, weights):
    """inputs_embeds, with the embedding in a graph of its own."""
    optimum(folder, source)
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    gather = next(node for node in model.graph.node if node.op_type == "Gather" and "input_ids" in node.input)
    for node in model.graph.node:
        for i, name in enumerate(node.input):
            if name == gather.output[0]:
                node.input[i] = "inputs_embeds"
            elif name == "input_ids":
                node.input[i] = "inputs_embeds"  # only its length is asked for
    model.graph.node.remove(gather)
    _drop_input(model, "input_ids")
    shape = ["batch", "tokens", weights.config.hidden]
    model.graph.input.insert(0, helper.make_tensor_value_info("inputs_embeds", FLOAT, shape))
    onnx.save(model, folder / "model.onnx")
    with GraphWriter(folder / "embed_tokens.onnx") as g:
        g.input("input_ids", INT64, ["batch", "tokens"])
        g.op("Gather", g.constant(weights["embed"].float32()), "input_ids", out="inputs_embeds")
        g.output("inputs_embeds", FLOAT, shape)
        g.finish("embed", {})


def genai(folder, source):
    """onnxruntime-genai: fused operators, the head size only in genai_config.json."""
    export(source, folder, GraphOptions(form="fused", logits="last", context=LONGEST))
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    del model.metadata_props[:]
    for port in model.graph.input:
        if port.name.startswith("past_key_values"):
            port.type.tensor_type.shape.dim[3].dim_param = "kv_cache_dim"
    onnx.save(model, folder / "model.onnx")


def _drop_input(model, name):
    model.graph.input.remove(next(port for port in model.graph.input if port.name == name))


def _prepend(model, nodes):
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes + rest)
