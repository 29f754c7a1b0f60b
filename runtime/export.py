"""Weights in any readable form -> a folder that runs: graph, weights, tokenizer, configuration."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime.gguf import GGUFFile
from runtime.graph.decoder import GraphOptions, build
from runtime.graph.initializers import graph_size
from runtime.graph.writer import GraphWriter
from runtime.install import GRAPH, staged
from runtime.weights import Weights, from_gguf, open_weights
from tokenizers_lite import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    Progress = Callable[[int, int], None]

PREFIX = "tokenizers_lite."
BLOCKED = "1.22"  # oldest onnxruntime with 8-bit MatMulNBits
# Copied beside the graph when the source folder has them.
_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
    "generation_config.json",
)


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote."""

    folder: str
    graph: str
    bytes: int
    parameters: int


def export(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    options: GraphOptions | None = None,
    *,
    progress: Progress | None = None,
) -> Exported:
    """Build the graph of a model and put everything it needs into a folder.

    Args:
        source: a GGUF file, or a folder with safetensors and config.json.
        folder: where to write; made if missing. An earlier export loads until it is replaced, at the end.
        options: form and precision; the default is the fused form in float32.
        progress: called with (layers done, layers).

    Raises:
        ModelFileError: the source cannot be read, its family is not supported, or the folder cannot be written.
        BusyError: another export is writing into the folder.
    """
    options = options or GraphOptions()
    target, place = os.fspath(folder), os.fspath(source)
    gguf = GGUFFile(place) if _is_gguf(place) else None
    weights = from_gguf(gguf) if gguf is not None else open_weights(place)
    with staged(target) as staging:
        tokenizer = _write_tokenizer(gguf, place, staging, target)
        with GraphWriter(os.path.join(staging, GRAPH)) as graph:
            build(graph, weights, options, progress)
            graph.finish(weights.config.family, metadata(weights, options, tokenizer))
        if _for_genai(options):
            write_genai_config(weights, options, staging)
            if gguf is not None and tokenizer:
                _write_genai_tokenizer(gguf, staging)
    path = os.path.join(target, GRAPH)
    return Exported(target, path, graph_size(path), weights.parameters)


def _is_gguf(path: str) -> bool:
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as stream:
        return stream.read(4) == b"GGUF"


def metadata(weights: Weights, options: GraphOptions, tokenizer: str) -> dict[str, str]:
    """Return the properties stored in the graph, so that one file says what it is."""
    config = weights.config
    values = {
        "version": __version__,
        "family": config.family,
        "form": options.form,
        "weights": options.precision.weights,
        "activations": ("float16" if options.precision.half else "float32")
        + (" with int8 products" if options.precision.fast and options.precision.weights != "float" else ""),
        "context": str(context_of(weights, options)),
        "vocab_size": str(config.vocab_size),
        "layers": str(config.layers),
        "kv_heads": str(config.kv_heads),
        "head_dim": str(config.head_dim),
        "bos_ids": ",".join(map(str, config.bos_ids)),
        "stop_ids": ",".join(map(str, config.stop_ids)),
        "tokenizer": tokenizer,
        "requires": requires(weights, options),
    }
    return {PREFIX + key: value for key, value in values.items()}


def requires(weights: Weights, options: GraphOptions) -> str:
    """Oldest onnxruntime that runs the graph right; measured by the tests, see docs/runtime/export.md."""
    if options.form == "fused" and any(weights.config.windows):
        return "1.24"  # before, GroupQueryAttention's window had another length
    if options.precision.weights in ("exact", "int8", "int4"):
        return BLOCKED
    return "1.18"


def context_of(weights: Weights, options: GraphOptions) -> int:
    """Longest sequence the graph can take."""
    config = weights.config
    return min(options.context, config.context) if options.context else config.context


def _write_tokenizer(gguf: GGUFFile | None, source: str, staging: str, target: str) -> str:
    """Put the tokenizer beside the graph; return its file name, or nothing if the source has none."""
    if gguf is not None:
        if "tokenizer.ggml.model" not in gguf.metadata:
            return ""
        name = os.path.join(staging, "tokenizer.gguf")
        with open(name, "wb") as stream:
            stream.write(gguf.metadata_only())
        return _compact(name, staging) or "tokenizer.gguf"
    folder = source if os.path.isdir(source) else os.path.dirname(source) or "."
    found = [file for file in _TOKENIZER_FILES if os.path.exists(os.path.join(folder, file))]
    if os.path.realpath(folder) != os.path.realpath(target):
        for file in found:
            shutil.copyfile(os.path.join(folder, file), os.path.join(staging, file))
    return next((file for file in ("tokenizer.json", "tokenizer.model", "vocab.json") if file in found), "")


def _compact(tokenizer: str, target: str) -> str:
    """Write the tokenizer in the format that loads fastest; if it cannot hold it, the original stays the one used."""
    import tokenizers_lite

    name = "tokenizer.tokc"
    try:
        tokenizers_lite.load(tokenizer).save(os.path.join(target, name))
    except tokenizers_lite.TokenizerError:
        return ""
    return name


def _for_genai(options: GraphOptions) -> bool:
    return options.form == "fused" and options.logits != "keep"


def _write_genai_tokenizer(gguf: GGUFFile, folder: str) -> None:
    """Write what onnxruntime-genai's own tokenizer reads, where tokenizer.json can hold this one."""
    from tokenizers_lite import TokenizerError
    from vocab_converters import convert

    try:
        convert(
            os.path.join(folder, "tokenizer.gguf"),
            os.path.join(folder, "tokenizer.json"),
            whole_vocabulary=False,
            manifest=False,
        )
    except TokenizerError:
        return
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "chat_template": gguf.metadata.get("tokenizer.chat_template"),
    }
    with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as stream:
        json.dump({key: value for key, value in config.items() if value}, stream, indent=2)


def write_genai_config(weights: Weights, options: GraphOptions, folder: str) -> None:
    """Write genai_config.json, which lets onnxruntime-genai run the fused form.

    It cannot feed `num_logits_to_keep`, so graphs with that input get no such file.
    """
    config, context = weights.config, context_of(weights, options)
    names = {part: f"past_key_values.%d.{part}" for part in ("key", "value")}
    decoder: dict[str, Any] = {
        "session_options": {"log_id": "onnxruntime-genai", "provider_options": []},
        "filename": GRAPH,
        "head_size": config.head_dim,
        "hidden_size": config.hidden,
        "num_attention_heads": config.heads,
        "num_hidden_layers": config.layers,
        "num_key_value_heads": config.kv_heads,
        "inputs": {
            "input_ids": "input_ids",
            "attention_mask": "attention_mask",
            "past_key_names": names["key"],
            "past_value_names": names["value"],
        },
        "outputs": {
            "logits": "logits",
            "present_key_names": "present.%d.key",
            "present_value_names": "present.%d.value",
        },
    }
    stops = list(config.stop_ids) or [config.vocab_size - 1]
    model = {
        "type": {"minicpm": "llama", "granite": "llama"}.get(config.family, config.family).replace(
            "gemma3", "gemma3_text"
        ),
        "context_length": context,
        "vocab_size": config.vocab_size,
        "bos_token_id": config.bos_ids[0] if config.bos_ids else stops[0],
        "eos_token_id": stops,
        "pad_token_id": stops[0],
        "decoder": decoder,
    }
    search = {"max_length": context, "do_sample": False, "past_present_share_buffer": True, "top_k": 1}
    with open(os.path.join(folder, "genai_config.json"), "w", encoding="utf-8") as stream:
        json.dump({"model": model, "search": search}, stream, indent=2)
