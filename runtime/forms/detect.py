"""Files -> the driver that fits, decided by inputs and outputs alone."""

from __future__ import annotations

import glob
import json
import os
from typing import TYPE_CHECKING, Any

from runtime.errors import ModelFileError, PromptError, UnknownGraphError, UnsupportedError
from runtime.forms.base import Driver, Graph, ModelInfo
from runtime.forms.dynamic import DynamicDriver
from runtime.forms.merged import MergedDriver, is_decode, is_prefill
from runtime.forms.optimum import OptimumDriver, SharedBufferDriver, cache_ports
from runtime.forms.static import StaticDriver, looks_static
from runtime.install import BESIDE
from runtime.session import SessionOptions, open_session, ort, version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEFAULT_CONTEXT = 8192  # buffer of the shared form when nothing says how long it may be
PREFIX = "tokenizers_lite."


def open_driver(
    path: str | os.PathLike[str] | Sequence[str],
    *,
    options: SessionOptions | None = None,
    max_length: int = 0,
    info: ModelInfo | None = None,
) -> Driver:
    """Open a graph, a folder of graphs, or a list of the graphs of one model.

    Args:
        path: an ``.onnx`` file, a folder, or several files.
        options: session options.
        max_length: most tokens of a sequence; 0 takes what the model says.
        info: what is known about the model; read from the files beside the graph if not given.

    Raises:
        ModelFileError: a file is missing or cannot be loaded.
        UnknownGraphError: the graphs are of no known form.
    """
    if max_length < 0:
        raise PromptError(f"max_length must be positive, or 0 for what the model says (got {max_length})")
    files = [path] if isinstance(path, (str, os.PathLike)) else list(path)
    if not files:
        raise ModelFileError("a model needs at least one graph, and the list is empty")
    names = _files(os.fspath(files[0])) if len(files) == 1 else [os.fspath(file) for file in files]
    given = options or SessionOptions()
    lent = _shared_initializers(names)
    graphs = [Graph.of(_open(name, given, lent), name) for name in names]
    _check_version(graphs[0])
    known = info or read_info(names[0], graphs[0].metadata)
    limit = min(max_length, known.context) if max_length and known.context else max_length or known.context
    driver = _choose(graphs, known, limit)
    driver.form = driver.form or type(driver).form
    return driver


def _check_version(graph: Graph) -> None:
    """Refuse a graph that this onnxruntime would load and silently compute differently."""
    wanted = graph.metadata.get(PREFIX + "requires", "")
    if wanted and version(ort.__version__) < version(wanted):
        raise UnsupportedError(
            f"{graph.path} needs onnxruntime {wanted} or newer (this is {ort.__version__}): "
            "upgrade it, or export again with --form plain --quality float"
        )


def _choose(graphs: list[Graph], info: ModelInfo, limit: int) -> Driver:
    """Apply the rules in order; see docs/runtime/signatures.md."""
    prefill = [graph for graph in graphs if is_prefill(graph)]
    decode = [graph for graph in graphs if is_decode(graph)]
    if prefill and decode:
        return MergedDriver(prefill[0], decode[0], info, limit)
    if prefill or decode:
        raise UnknownGraphError(f"{graphs[0].path} is one of a pair: prefill and decode graph belong in one folder")
    body = next((graph for graph in graphs if cache_ports(graph)), None)
    if body is not None and body.output("logits") is not None:
        embed = next((graph for graph in graphs if graph is not body and len(graph.inputs) == 1), None)
        if _may_share(body):
            return SharedBufferDriver(body, info, limit or DEFAULT_CONTEXT)
        return OptimumDriver(body, info, limit, embed)
    if graphs[0].input("in_key_0") is not None:
        return DynamicDriver(graphs[0], info, limit)
    if any(looks_static(graph) for graph in graphs):
        return StaticDriver(graphs, info, limit)
    inputs = ", ".join(port.name for port in graphs[0].inputs)
    raise UnknownGraphError(
        f"{graphs[0].path}: no known form of decoder graph has the inputs {inputs}; "
        "docs/runtime/signatures.md lists the forms that are driven"
    )


def _may_share(graph: Graph) -> bool:
    """One buffer for past and present: the operator must be there, and positions must not be asked for."""
    names = {port.name for port in graph.inputs}
    plain = names <= {"input_ids", "attention_mask", "num_logits_to_keep"} | set(cache_ports(graph))
    return plain and {"input_ids", "attention_mask"} <= names and graph.uses("GroupQueryAttention")


def _files(path: str) -> list[str]:
    """Graphs of a file or folder, in the order they would be run."""
    if not os.path.isdir(path):
        return [path]
    settings = os.path.join(path, "genai_config.json")
    if os.path.exists(settings):
        with open(settings, encoding="utf-8") as stream:
            return [os.path.join(path, json.load(stream)["model"]["decoder"]["filename"])]
    found = sorted(glob.glob(os.path.join(path, "*.onnx"))) or sorted(glob.glob(os.path.join(path, "onnx", "*.onnx")))
    merged = [name for name in found if "Prefill" in os.path.basename(name) or "Decode" in os.path.basename(name)]
    if merged:
        return _strategy(merged)
    for preferred in ("model.onnx", "decoder_model_merged.onnx"):
        chosen = [name for name in found if os.path.basename(name) == preferred]
        if chosen:
            embeds = [name for name in found if os.path.basename(name) == "embed_tokens.onnx"]
            return chosen + embeds
    if not found:
        raise ModelFileError("no .onnx file in this folder; runtime.export makes one of weights", file=path)
    return found


def _strategy(found: list[str]) -> list[str]:
    """Choose a prefill and a decode graph of the same strategy, greedy if there are several."""
    text = [name for name in found if "Image" not in name and "Video" not in name]
    for strategy in ("Greedy", "PenaltyGreedy", "Sampling", ""):
        pair = [
            next((name for name in text if role in name and name.endswith(role + strategy + ".onnx")), None)
            for role in ("Prefill", "Decode")
        ]
        if pair[0] and pair[1]:
            return [pair[0], pair[1]]
    return text


def _shared_initializers(names: Sequence[str]) -> Mapping[str, Any]:
    """Weights in a file of their own, mapped, to lend to every session (form B3)."""
    place = os.path.join(os.path.dirname(names[0]), "LLM_SharedInitializers.onnx")
    if not os.path.exists(place):
        return {}
    from runtime.graph.initializers import map_initializers

    return {name: ort.OrtValue.ortvalue_from_numpy(array) for name, array in map_initializers(place).items()}


def _open(name: str, options: SessionOptions, lent: Mapping[str, Any]) -> Any:
    session = open_session(name, options, lent)
    session.lent = lent  # the memory has to outlive the session
    return session


def read_info(path: str, metadata: Mapping[str, str]) -> ModelInfo:
    """Collect what is known: our own metadata, then genai_config.json, then config.json, then Native-LLM's keys."""
    folder = os.path.join(os.path.dirname(path), os.path.basename(metadata.get(BESIDE, "")))
    config = _read_json(os.path.join(folder, "config.json")) or _read_json(os.path.join(folder, "..", "config.json"))
    genai = _read_json(os.path.join(folder, "genai_config.json")).get("model", {})
    decoder = genai.get("decoder", {})
    generation = _read_json(os.path.join(folder, "generation_config.json"))
    own = {key.removeprefix(PREFIX): value for key, value in metadata.items() if key.startswith(PREFIX)}
    heads = config.get("num_attention_heads")
    width = config.get("head_dim") or (config["hidden_size"] // heads if heads and "hidden_size" in config else 0)
    return ModelInfo(
        vocab_size=_first(
            own.get("vocab_size"), genai.get("vocab_size"), config.get("vocab_size"), metadata.get("vocab_size")
        ),
        context=_first(
            own.get("context"),
            genai.get("context_length"),
            config.get("max_position_embeddings"),
            metadata.get("max_seq_len"),
        ),
        head_dim=_first(own.get("head_dim"), decoder.get("head_size"), width),
        bos_ids=_ids(own.get("bos_ids"), genai.get("bos_token_id"), config.get("bos_token_id")),
        stop_ids=_ids(
            own.get("stop_ids"),
            genai.get("eos_token_id"),
            generation.get("eos_token_id"),
            config.get("eos_token_id"),
            metadata.get("stop_token_ids") or metadata.get("eos_token_ids"),
        ),
        tokenizer=own.get("tokenizer", ""),
        folder=folder,
        extra=dict(metadata),
    )


def _read_json(path: str) -> dict[str, Any]:
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as stream:
        try:
            values = json.load(stream)
        except ValueError as error:
            raise ModelFileError(f"not JSON: {error}", file=path) from error
    return values if isinstance(values, dict) else {}


def _first(*values: Any) -> int:
    return next((int(value) for value in values if value not in (None, "", 0, "0")), 0)


def _ids(*values: Any) -> tuple[int, ...]:
    """Return the first ids given, written as a number, a list or ``a,b``."""
    for value in values:
        if value is None or value == "":
            continue
        parts = value.replace("[", "").replace("]", "").split(",") if isinstance(value, str) else value
        return tuple(int(part) for part in (parts if isinstance(parts, (list, tuple)) else [parts]))
    return ()
